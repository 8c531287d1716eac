"""What a sentence of each kind looks like: words it must hold, a pattern, and what undoes it.

A pattern is over one bounded sentence of lower-case words with a space around each (clauses.py),
so `(?:\\S+ ){0,N}?` is a gap of at most N bounded words and no search costs more than a constant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from registry.licenses.terms.values import Tag


@dataclass(frozen=True, slots=True)
class Cue:
    """A sentence with one of `words` that `holds` matches says `tag`, unless `unless` does too.

    `unless` reads the same sentence: what it matches turns the saying into its contrary.
    """

    tag: Tag
    words: frozenset[str]
    holds: re.Pattern[str]
    unless: re.Pattern[str] | None


def _cue(tag: Tag, words: str, holds: str, unless: str = "") -> Cue:
    # `~N ` in a pattern is a gap of at most N words.
    def widen(text: str) -> re.Pattern[str]:
        return re.compile(re.sub(r"~(\d+) ", r"(?:\\S+ ){0,\1}?", text))

    return Cue(tag, frozenset(words.split()), widen(holds), widen(unless) if unless else None)


_NOT = r" (?:not|never|nor|cannot|prohibited|forbidden|prohibits|forbids|other than|without)"
_MUST = r" (?:must|shall|will|only|cause|require|requires)"
_ELSE = r" (?:except|unless|without|provided) "
_LICENCE = r"(?:license|licence|agreement)"

CUES: tuple[Cue, ...] = (
    _cue(
        "noncommercial", "commercial noncommercial noncommercially commercially",
        r" non ?commercial(?:ly)? | noncommercial",
        r" commercial(?:ly)? (?:and|or|and or|as well as) ~2 non ?commercial"
        r"| non ?commercial(?:ly)? (?:and|or|and or|as well as) ~2 commercial"
        r"| occasionally and non ?commercially | allowed only for non ?commercial distribution "
        r"| nqt limited to non ?commercial",
    ),
    _cue(
        "noncommercial", "commercial commercially",
        _NOT + r" ~40 (?:any )?commercial(?:ly)? "
        r"(?:or production|application|use|uses|used|purposes?|exploit\S*|advantage|gain|activit\S+)",
        r" not ~4 (?:exclude|prohibit|restrict|limit|prevent|preclude|forbid)\S* "
        r"| non ?commercial| commercially reasonable | (?:except|unless) ~12 commercial",
    ),
    _cue("noncommercial", "sell", r" not ~12 right to sell "),
    _cue(
        "research_only", "research",
        r"(?: solely| only| exclusively) ~8 research ~2 (?:purposes?|use|uses) "
        r"| non ?commercial research | research (?:purposes?|use) only | research use license ",
        r" nqt limited to | not only ",
    ),
    _cue(
        "output_training", "output outputs results produced synthetic distillation generations",
        r" (?:outputs?|results|generations|synthetic data) ~30 "
        r"(?:improve|train|training|develop|distill?|tune|create) ~12 (?:models?|ai) "
        r"| distillation methods | (?:derived from|based on) ~10 outputs? ",
        r" (?:not|no) ~2 (?:impose|restrict|limit)\S* ",
    ),
    _cue(
        "output_training", "improve train develop",
        r" use ~15 to ~6 (?:improve|train|develop) ~5 (?:other|any) ~6 models? ",
    ),
    _cue("mau_threshold", "active", r" (?:monthly|daily) active users? "),
    _cue(
        "revenue_threshold", "revenue revenues income turnover",
        r" (?:revenues?|income|turnover) ~20 (?:exceed\S*|less|more|greater|fewer|under|over) "
        r"| (?:exceed\S*|less|more|greater|fewer|under|over) ~12 (?:revenues?|income|turnover) ",
    ),
    _cue(
        "naming", "name display include mark built powered",
        r" at the beginning of ~8 name "
        r"| (?:display|include|mark|statement) ~20 (?:built|powered|improved) (?:with|on|by|using) "
        r"| (?:called|named?) ~12 (?:without ~6 permission|reserved font name)"
        r"| reserved font name ",
        r" encouraged to ",
    ),
    _cue(
        "attribution", "attribution credit credits attribute acknowledgment acknowledgement",
        r" attribution notices? | (?:appropriate|give|provide) ~3 credit "
        r"| (?:appropriate|give|provide|require\S*) ~4 attribution "
        r"| identification of the creator| following acknowledge?ment |ttribution parties",
    ),
    _cue(
        "share_alike", "license licence agreement sharealike elements",
        _MUST + r" ~30 (?:licen[sc]ed?|distributed?|released|available|conveyed|offered|published"
        r"|provided|done|used?) ~12 under (?:only )?(?:the )?(?:terms (?:and conditions )?of )?"
        r"(?:this|the same|these|precisely this) ~2 " + _LICENCE + r" "
        r"| remain subject to this " + _LICENCE + r" | same license elements | share ?alike "
        r"| license the entire work | must be only under the terms of this license ",
        r" contributions? ~6 submitted | granted ~4 under | (?:rights|obligations) under "
        r"| section 2 will not apply ",
    ),
    _cue(
        "network_share_alike", "remotely service deployment",
        r" interacting with ~4 remotely | service source code | external deployment ",
    ),
    _cue(
        "use_restrictions", "use uses evil used restrictions filters circumvent prohibited",
        r" use restrictions? | use based restrictions | (?:acceptable|prohibited) use polic"
        r"| prohibited uses | used for good not evil "
        r"| not ~14 (?:circumvent|bypass) ",
        r" usage restrictions ~20 license text ",
    ),
    _cue(
        "use_restrictions",
        "military surveillance biometric weapons terrorism illegal unlawful minors malware nuclear",
        _NOT + r" ~60 (?:military|surveillance|biometric|weapons|terrorism|illegal|unlawful"
        r"|minors|malware|nuclear)",
        r" not designed or intended | not ~3 liable | no event ",
    ),
    _cue(
        "territory", "territory union eu kingdom korea countries region",
        r" (?:outside|excluding|within|in) (?:of )?the (?:worldwide )?territory "
        r"| (?:not ~4 granted|not apply in|excluding|outside) ~30 "
        r"(?:european union|united kingdom|south korea|eu) ",
        r" registered office | governed by ",
    ),
    _cue(
        "termination", "terminate terminates terminated termination",
        r" terminat(?:e|es|ed|ion) ",
    ),
    _cue("patent", "patent patents", r" patents? "),
    _cue(
        "warranty", "warranty warranties is guarantee",
        r" (?:without|no|not|disclaims?|disclaimer) ~6 (?:warranty|warranties|guarantee) | as is ",
    ),
    _cue(
        "no_derivatives", "adapted modify adapt alter derivative derivatives noderivatives",
        r" (?:may|must|shall|will|do|does|but) not ~6 (?:modify|adapt|alter|translate"
        r"|(?:create|prepare|make|produce) derivative|(?:share|distribute) (?:adapted|modified)) "
        r"| noderivatives | no derivatives | not have permission ~8 adapted "
        r"| not ~4 share adapted ",
        _ELSE + r"| for (?:any|i any|commercial) | not affect ",
    ),
    _cue(
        "no_distribution", "distribute redistribute internal publish available",
        r" (?:may|must|shall) not ~10 (?:distribute|redistribute|publish)(?! adapted| under) "
        r"| (?:solely|only) ~4 (?:purpose of )?internal ",
        _ELSE + r"| for (?:any|i any|commercial) | at all | conditions | if you "
        r"|(?:may|must|shall) not ~8 to (?:distribute|redistribute)",
    ),
    _cue(
        "source_disclosure", "source",
        _MUST + r" ~30 (?:source code|corresponding source|service source) "
        r"| accompany ~8 (?:source code|corresponding source) "
        r"| (?:corresponding|complete|machine readable) (?:machine readable )?source code ",
        r" redistributions of source | retain | reproduce the above ",
    ),
    _cue(
        "notice", "notice notices copy disclaimer license",
        r" (?:retain|retained|include|reproduce|provide|give|preserve|intact|accompan\S+|contain) "
        r"~16 (?:notices?|copy of (?:this|the) ~2 " + _LICENCE + r"|text of this license) "
        r"| notices? ~16 (?:must|shall|may|be) ~3 (?:included|appear|retained|reproduced|removed) "
        r"| with a copy of this " + _LICENCE + r" ",
    ),
    _cue(
        "state_changes", "modified changed changes modifications marked altered modify",
        r" (?:state|stating|states|indicate|documenting|statement|describe|describing) ~12 "
        r"(?:modif\S+|changed|changes) | plainly marked | carry prominent notices ",
    ),
    _cue(
        "pass_on_terms", "enforceable downstream users recipients",
        r" enforceable provisions? | (?:shall|must) require all of your users "
        r"| impose ~4 (?:contractual )?terms on ~3 downstream | ensure ~5 downstream ",
    ),
    _cue(
        "no_further_restrictions", "impose",
        r" not ~6 impose ~8 (?:restrictions?|terms?|conditions)"
        r"| offer or impose any ~4 terms ",
        r" (?:license|agreement|licence) does not impose ",
    ),
    _cue("registration", "register", r" (?:must|shall) ~3 register with "),
    _cue(
        "personal_only", "personal",
        r" (?:only|solely|exclusively) ~6 personal (?:use|purposes?) | personal use only ",
    ),
    _cue(
        "field_of_use", "hosted managed apis internal production competing compete",
        r" not ~14 (?:hosted|managed) ~3 service | via your apis "
        r"| (?:solely|only) ~6 internal | non ?production | not ~20 compet(?:e|ing|itive) ",
        r" nqt limited to | without offering any ",
    ),
    _cue(
        "reverse_engineering", "decompile disassemble reverse",
        r" not ~20 (?:decompile|disassemble|reverse engineer) ",
    ),
)  # fmt: skip
