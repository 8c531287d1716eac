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


_NOT = r" (?:not|never|nor|cannot|prohibited|forbidden|prohibits|forbids|other than)"
# "... is prohibited", "... needs a separate licence": what follows what it forbids.
_BANNED = (
    r"(?:(?:is|are|be) ~3 (?:prohibited|forbidden|disallowed|excluded)"
    r"|(?:is|are) not ~2 (?:permitted|allowed|granted|authori[sz]ed|licensed))"
)
_AFTER = (
    r"(?:" + _BANNED + r"|(?:requires?|needs?|must) ~8 "
    r"(?:licen[sc]e|permission|agreement|consent|approval|authori[sz]ation))"
)
_MUST = r" (?:must|shall|will|only|cause|require|requires)"
_ELSE = r" (?:except|unless|without|provided) "
_THAN = r"(?:exceed\S*|less|more|greater|fewer|under|over|above|below)"
_AI = r"(?:ai|intelligence|learning|models?)"
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
        r"(?:or production|application|uses?|used|purposes?|exploit\S*|advantage|gain|activit\S+)",
        r" not ~4 (?:exclude|prohibit|restrict|limit|prevent|preclude|forbid)\S* "
        r"| non ?commercial| commercially reasonable | (?:except|unless) ~12 commercial"
        r"| nothing in ~8 (?:prohibits|forbids|restricts) | fit for | even commercially ",
    ),
    _cue(
        "noncommercial", "commercial commercially profit sale sold sell resold",
        r" commercial(?:ly)? ~6 " + _AFTER + r" | licen[sc]e for any commercial use "
        r"| (?:non ?profit|not for profit) (?:use|uses|purposes?|only) "
        r"| for profit ~12 " + _AFTER + r" | not for (?:re)?sale | not ~2 be (?:re)?sold "
        r"| not ~12 right to sell | not ~3 (?:re)?sell ",
        r" by itself | non ?commercial| of charge | fit for ",
    ),
    _cue(
        "research_only", "research academic",
        r" (?:solely|only|exclusively|strictly) ~8 research ~2 (?:purposes?|use|uses) "
        r"| (?:solely|only|exclusively|strictly) (?:for|to) ~4 research | academic ~3 only "
        r"| non ?commercial research (?:purposes?|uses?) | research (?:purposes? |use )?only ",
        r" nqt limited to | nqt only ",
    ),
    _cue(
        "output_training",
        "output outputs results produced synthetic distillation distilling generations generated "
        "completions",
        r" (?:outputs?|results|generations|generated|completions|synthetic data) ~30 "
        r"(?:improve|train|training|develop|distill?|tune|create) ~12 (?:models?|ai|networks?) "
        r"| distillation methods | (?:derived from|based on) ~10 outputs? "
        r"| distill?\S* ~10 " + _BANNED + " ",
        r" may be used to | (?:not|no) ~2 (?:impose|restrict|limit)\S* ",
    ),
    _cue(
        "output_training", "improve train develop build",
        r" use ~15 to ~6 (?:improve|train|develop) ~5 (?:other|any) ~6 models? "
        r"| not ~6 use ~15 to ~6 (?:improve|train|develop|build) ~8 models? ",
    ),
    _cue("mau_threshold", "active", r" (?:monthly|daily) active users? "),
    _cue(
        "revenue_threshold", "revenue revenues income turnover",
        r" (?:revenues?|income|turnover) ~20 " + _THAN + r" "
        r"| " + _THAN + r" ~12 (?:revenues?|income|turnover) ",
    ),
    _cue(
        "naming", "name names display include mark built powered",
        r" at the beginning of ~8 name "
        r"| (?:display|show|carry|include|mark|statement) ~20 "
        r"(?:built|powered|improved) (?:with|on|by|using) "
        r"| (?:must|shall|will) ~14 in (?:its|their|your|the) (?:model )?names? "
        r"| names? of ~6 models? (?:must|shall) "
        r"| called ~12 without ~6 permission | reserved font name ",
        r" encouraged to | in the name of ",
    ),
    _cue(
        "attribution", "attribution credit credits attribute acknowledge cite acknowledgement",
        r" attribution notices? | (?:appropriate|give|provide) ~3 credit "
        r"| (?:appropriate|give|provide|require\S*) ~4 attribution "
        r"| identification of the creator| following acknowledge?ment "
        r"| (?:must|shall|please) ~2 (?:credit|attribute|acknowledge|cite) "
        r"| attribution is (?:mandatory|required) |ttribution parties",
    ),
    _cue(
        "share_alike", "terms license licence agreement sharealike elements",
        _MUST + r" ~30 (?:licen[sc]ed?|distributed?|released|available|conveyed|offered|published"
        r"|provided|done|used?|be) ~12 under (?:only )?(?:the )?(?:terms (?:and conditions )?of )?"
        r"(?:i )?"
        r"(?:(?:this|the same|these|precisely this) ~2 " + _LICENCE + r"|(?:same|identical) terms) "
        r"| remain subject to this " + _LICENCE + r" | same license elements | share ?alike "
        r"| license the entire work ",
        r" contributions? ~6 submitted | granted ~4 under | (?:rights|obligations) under "
        r"| section 2 will not apply | shall mean | permission under | inform the recipient ",
    ),
    _cue(
        "network_share_alike", "remotely service deployment network",
        r" interacting with ~4 remotely | remotely ~20 source | service source code "
        r"| external deployment "
        r"| (?:source|sources) ~24 (?:over|through|via) (?:a|the) (?:computer )?network ",
    ),
    _cue(
        "use_restrictions", "use uses evil used restrictions filters circumvent bypass prohibited",
        r" use restrictions? | use based restrictions | (?:acceptable|prohibited) use polic"
        r"| prohibited uses | used for good not evil "
        r"| (?:not|if you) ~14 (?:circumvent|bypass) "
        r"| use ~10 must be consistent with ~3 trustworthy ",
        r" usage restrictions ~20 license text ",
    ),
    _cue(
        "use_restrictions",
        "military surveillance biometric weapons terrorism illegal unlawful minors malware nuclear",
        _NOT + r" ~60 (?:military|surveillance|biometric|weapons|terrorism|illegal|unlawful"
        r"|minors|malware|nuclear)",
        r" not designed (?:or intended|for) | not ~3 liable | no event ",
    ),
    _cue(
        "use_restrictions", "used",
        r" (?:may|must|shall|should|will) not be used ~2 (?:for|in|by|to) ",
        r" (?:names?|trademarks?|logos?|marks?|endorse|commercial\S*|construe) ",
    ),
    _cue(
        "use_restrictions",
        "persons person people anyone parties individuals entities companies organizations users "
        "everyone nobody employees members staff students subscribers",
        r" (?:persons?|people|anyone|parties|individuals|entities|companies|organi[sz]ations|users)"
        r" ~2 (?:other than|except) ~12 (?:may|must|shall|can) not "
        r"| nobody ~2 (?:other than|except|but) ~12 (?:may|shall|can) "
        r"| (?:anyone|everyone) ~2 (?:other than|except|but) ~8 (?:may|can) "
        r"| only ~3 (?:employees|members|staff|students|subscribers) ~8 (?:may|can|are) ",
    ),
    _cue(
        "field_of_use", "research production academic educational academia",
        r" not for (?:any )?(?:research|production|academic|educational|academia) ",
    ),
    _cue(
        "use_restrictions", "train training trained mining",
        r" (?:train\S*|mining) ~12 " + _AI + r" ~12 " + _AFTER + r" "
        r"| (?:may|must|shall) not ~12 (?:train\S*|mining) ~8 " + _AI + r" ",
        r" (?:outputs?|results) ",
    ),
    _cue(
        "territory",
        "territory union eu eea kingdom korea states country countries region china russia japan",
        r" (?:outside|excluding|within|in) (?:of )?the (?:worldwide )?territory "
        r"| (?:not ~4 granted|not apply in|excluding|outside) ~30 "
        r"(?:european union|united kingdom|south korea|eu) "
        r"| outside ~4 (?:united states|u s|country|countries|china|territory) ~10 "
        r"(?:not|prohibited|forbidden) "
        r"| (?:only|not|no|solely|prohibited|forbidden) ~12 (?:in|within|outside|of|from) (?:the )?"
        r"(?:european union|eu|eea|united states|united kingdom|china|russia|korea|japan) ",
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
        "no_derivatives",
        "adapted modify modification adaptation adaptations transform adapt alteration derivative "
        "derivatives noderivatives",
        r" (?:may|must|shall|will|can|but) not ~6 (?:modify(?! this)|adapt|translate|transform"
        r"|build upon"
        r"|(?:create|prepare|make|produce) derivative|(?:share|distribute) (?:adapted|modified)) "
        r"| noderivatives | no derivatives | not have permission ~8 adapted "
        r"| not ~4 share adapted | (?:modification|adaptation|alteration)s? ~6 " + _BANNED + " ",
        _ELSE + r"| for (?:any|i any|commercial) | not affect | modify or remove | outside the ",
    ),
    _cue(
        "no_distribution",
        "distribute redistribute internal publish redistribution distribution "
        "sharing publication passed given transferred shared distributed redistributed published",
        r" (?:may|must|shall) not ~10 (?:distribute|redistribute|publish)(?! adapted| under) "
        r"| (?:solely|only) ~4 (?:purpose of )?internal "
        r"| (?:redistribution|distribution|sharing|publication) ~5 " + _BANNED + " "
        r"| not be (?:passed|given|transferred|shared|(?:re)?distributed|published)(?! under) ",
        _ELSE + r"| for (?:any|i any|commercial) | at all | conditions | if you | promote "
        r"| outside |(?:may|must|shall) not ~8 to (?:distribute|redistribute)",
    ),
    _cue(
        "source_disclosure", "source sources",
        _MUST + r" ~30 (?:source code|corresponding source|service source) "
        r"| accompany ~8 (?:source code|corresponding source) "
        r"| (?:must|shall) ~8 (?:offer|provide|disclose|publish|release) ~4 sources? "
        r"| (?:corresponding|complete|machine readable) (?:machine readable )?source code ",
        r" redistributions of source | retain | reproduce the above | mean | derive the source ",
    ),
    _cue(
        "notice", "notice notices copy disclaimer license agreement",
        r" (?:retain|retained|include|reproduce|provide|give|preserve|intact|accompan\S+|contain) "
        r"~16 (?:notices?|copy of (?:this|the) ~2 " + _LICENCE + r"|text of this license"
        r"|this " + _LICENCE + r") "
        r"| notices? appear in all copies | make available the text of this "
        + _LICENCE
        + r" | notices? ~16 (?:must|shall|may|be) ~3 "
        r"(?:included|appear|retained|reproduced|removed) "
        r"| copy of (?:this|the) licen[sc]e must | with a copy of this " + _LICENCE + r" ",
    ),
    _cue(
        "state_changes", "modified changed changes modifications marked altered modify",
        r" (?:state|stating|states|indicate|documenting|statement|describe|describing) ~12 "
        r"(?:modif\S+|changed|changes) | plainly marked | modified ~4 must be marked "
        r"| carry prominent notices "
        r"| notices? ~6 (?:saying|stating|that) ~3 you ~1 (?:changed|modified) ",
    ),
    _cue(
        "pass_on_terms", "enforceable downstream users recipients customers restrictions",
        r" enforceable provisions? | (?:shall|must) require all of your users "
        r"| impose ~4 (?:contractual )?terms on ~3 downstream | ensure ~5 downstream "
        r"| not contradict the restrictions "
        r"| (?:must|shall|will) (?:ensure|require) ~6 (?:users?|customers|recipients?) ~4 "
        r"(?:accept|comply|agree) "
        r"| (?:must|shall|will) ~6 (?:impose|pass|include|apply) ~8 (?:restrictions|conditions)"
        r" ~12 (?:users?|recipients?|downstream|customers) ",
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
        r"| (?:solely|only) ~6 internal | internal ~2 (?:use|purposes?|evaluation) only "
        r"| non ?production | not ~20 compet(?:e|ing|itive) ",
        r" nqt limited to | without offering any ",
    ),
    _cue(
        "reverse_engineering", "decompile disassemble decompiling decompilation reverse",
        r" not ~20 (?:decompile|disassemble|reverse engineer) "
        r"| (?:decompil\S+|disassembl\S+|reverse engineering) ~6 " + _BANNED + " ",
    ),
)  # fmt: skip
