"""What follows from a clause for who publishes, in one sentence for a reader."""

from __future__ import annotations

from registry.licenses.terms.values import Tag

SAYS: dict[Tag, str] = {
    "noncommercial": "it may not be used for commercial ends",
    "research_only": "it may be used for research only",
    "output_training": "its outputs may train other models only as it says",
    "mau_threshold": "above a number of monthly users another licence is needed",
    "revenue_threshold": "above an amount of revenue another licence is needed",
    "naming": "the name or the notices of what is published must say where it is from",
    "attribution": "its authors must be named",
    "share_alike": "what is made from it must be published under its terms",
    "network_share_alike": "who serves it over a network must offer the source under its terms",
    "use_restrictions": "some uses are forbidden, to those who receive it too",
    "territory": "it is not granted everywhere",
    "termination": "the grant ends with a breach",
    "patent": "the grant ends for who sues over patents",
    "warranty": "it comes without warranty",
    "no_derivatives": "what is changed or built upon may not be published",
    "no_distribution": "it may not be given to others",
    "source_disclosure": "its source must be offered with it",
    "notice": "its licence and notices must go with it",
    "state_changes": "changes must be said",
    "pass_on_terms": "its terms must be passed on to those who receive it",
    "no_further_restrictions": "nothing may be added to its terms",
    "registration": "the owner must be told, or asked, first",
    "personal_only": "the grant is for one's own use",
    "field_of_use": "it may be used in some fields only",
    "reverse_engineering": "users must be free to change it and to debug the change",
}
UNSETTLED = "whether a trained model is adapted material is not settled: if it is, {says}"
UNSTATED = (
    "no licence is stated: ask its owner for one, or state what you know in the policy with its"
    " source"
)
PUBLIC_DOMAIN = (
    "'public domain' names no terms: ask for CC0-1.0 or the Unlicense, or state why in the policy"
)
NO_FACTS = (
    "no reviewed facts of this licence: add them (docs/licence-facts.md), or take another licence"
)
NO_TERM = "its reviewed facts do not answer this: read its text and add the sentence that does"
FAMILY = "a family of licences that answer differently: say which one it is"
CONFLICT = "{outbound} does not take it in: {says}"
OTHER_TERMS = "{outbound} is none of the licences that it may be passed on under"
WIDER = "{outbound} lets others do what it does not grant: {says}"
UNREAD = "whether {outbound} passes this on is not known: add its facts (docs/licence-facts.md)"
LATER = "only under a later version than {older}, which does not take it in"
SPARED = "only into the model itself and derivative works of it: {says}"
UNPUBLISHED = "only while nothing of it is published: {says}"
