"""What the check `assets` can say."""

from __future__ import annotations

from bot.finding import Level, Rule

FACTS = "State its licence and where you read it in the policy: `assets.facts`"

PUBLISH = "State what it is published under: `license` in the card, or `assets.publish`."
UNDER = (
    "Publish under {} (in the card, and as `assets.publish` in the policy), use another model or "
    "data set, or ask its owner."
)

FORBIDDEN = Rule(
    "assets/forbidden",
    Level.FAILURE,
    "A model or data set is used in a way that its licence forbids for what is published.",
    "Its owner gave no right to this; whoever takes up the published work has none either.",
    "Use another model or data set, publish under a licence that fits, or ask its owner.",
)
REVIEW = Rule(
    "assets/review",
    Level.FAILURE,
    "A clause that the policy wants looked at bears on a model or data set of the change.",
    "The policy says that a person decides about clauses of this kind.",
    "Read the clause; if it can be kept, waive this finding with the reason.",
)
CONDITIONS = Rule(
    "assets/conditions",
    Level.WARNING,
    "A model or data set of the change may be used, on conditions.",
    "The right to use it ends where its conditions are not kept.",
    "Keep the conditions quoted: names, notices, limits of use.",
)
UNKNOWN = Rule(
    "assets/unknown",
    Level.FAILURE,
    "The licence of a model or data set, or what it allows here, is not known.",
    "Without a licence there is no right to use it, and a guess is none either.",
    f"{FACTS}: {{NAME: {{license: ID, source: WHERE}}}}.",
)
DISAGREE = Rule(
    "assets/disagree",
    Level.FAILURE,
    "Two sources name different licences for one model or data set.",
    "Nobody can tell which of them holds.",
    f"Find out which holds and correct the other. {FACTS} where it is not yours.",
)
UNREADABLE = Rule(
    "assets/unreadable",
    Level.UNKNOWN,
    "A card or configuration of the change that names models or data cannot be read.",
    "It may name anything, under any licence.",
    "Make it valid UTF-8 in its format and within the size bound.",
)
RULES = (FORBIDDEN, REVIEW, CONDITIONS, UNKNOWN, DISAGREE, UNREADABLE)
