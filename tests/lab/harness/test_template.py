"""Templates: lm-evaluation-harness's settings, and nothing that escapes or runs away."""

from __future__ import annotations

import time

import pytest

from lab.harness.template import TemplateError, Templates

DOCUMENT = {"a": 1, "b": ["x", "y"], "text": "ab" * 500, "d": {"k": "v"}, "self": "me"}


@pytest.mark.parametrize(
    ("source", "rendered"),
    [
        ("{{a}}\n", "1\n"),
        ("{% for x in b %}{{loop.index}}{{x}}{{', ' if not loop.last}}{% endfor %}", "1x, 2y"),
        ("{% for k, v in d.items() %}{{k}}={{v}}{% endfor %}", "k=v"),
        ("{{ 'q' ~ a ~ b|join('-') ~ 'x' * 3 }}", "q1x-yxxx"),
        ("{{ ['p', 'q'][a] }}{{ ('r', 's')[0] }}{{ {'t': 'u'}['t'] }}", "qru"),
        ("{{ b|map('upper')|join }} {{ text|length }} {{ b[0].replace('x', 'z') }}", "XY 1000 z"),
        ("{{ a if a is defined else 0 }}{{ missing|default('none') }}", "1none"),
        ("{% set c = a + 1 %}{{ c }}{# note #}{{ '%' }}", "2%"),
        ("{{ 7 % 4 }}{{ 2 ** 5 }}{{ ', '.join(b) }}", "332x, y"),
    ],
)
def test_rendered(source: str, rendered: str) -> None:
    assert Templates().render(source, DOCUMENT) == rendered


GROWING = "{%% set c0 = 'abababab' %%}%s{{ c39 }}"


def grown(step: str) -> str:
    steps = (f"{{% set c{n + 1} = {step.replace('x', f'c{n}')} %}}" for n in range(39))
    return GROWING % "".join(steps)


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__ }}",
        "{{ b.__class__.__mro__ }}",
        "{{ b.append(1) }}",
        "{{ missing }}",
        "{{ a.b.c }}",
        "{{ a / 0 }}",
        "{{",
        "{% include 'x' %}",
        "{% extends 'x' %}",
        "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
        "{% for x in b recursive %}{{ loop(b) }}{% endfor %}",
        "{% set x %}{{ text }}{% endset %}{{ x }}",
        "{% for i in range(10**9) %}{% endfor %}",
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% for i in tet %}{% for j in tet %}{% for k in b %}{% endfor %}{% endfor %}{% endfor %}",
        "{% for i in range(9999) %}{{ text }}{% endfor %}",
        "{% for i in range(9999) %}" + "constant " * 99 + "{% endfor %}",
        "{{ 'a' * 10**9 }}",
        "{{ [0] * 10**9 }}",
        "{{ 9**(9**9) }}",
        "{{ 10**9999 * 10**9999 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ '{:>999999999}'.format(1) }}",
        "{{ 'x'.center(10**9) }}",
        "{{ 'x'.zfill(10**9) }}",
        "{{ 'x'|center(10**9) }}",
        "{{ 'x'|indent(10**9) }}",
        "{{ 'x'|format(1) }}",
        "{{ b|batch(10**9, 'x')|list }}",
        "{{ b|random }}",
        "{{ lipsum(10**6) }}",
        "{{ namespace(x=1).x }}",
        "{{ 'a'|regex_replace('(a+)+$', 'b') }}",
        grown("x ~ x"),
        grown("x + x"),
        grown("[x, x]"),
        grown("(x, x)"),
        grown("{'k': x, 'l': x}"),
        grown("dict(k=x, l=x)"),
        grown("x|replace('a', 'aaaa')"),
        grown("x.replace('a', 'aaaa')"),
        grown("[x, x]|join"),
        grown("''.join([x, x])"),
        grown("x.join([x, x])"),
        "{{" + "(" * 3000 + "1" + ")" * 3000 + "}}",
        "x" * 200_001,
    ],
)
def test_refused(source: str) -> None:
    before = time.process_time()
    with pytest.raises(TemplateError) as caught:
        Templates().render(source, DOCUMENT)
    assert "\n" not in str(caught.value)
    assert time.process_time() - before < 3


def test_patterns_are_for_the_trusted() -> None:
    source = "{{ 'banana'|regex_replace('a(n)', '\\\\1') }}"
    assert Templates(trust=True).render(source, {}) == "bnna"


def test_each_document_has_its_own_budget() -> None:
    templates = Templates()
    for _ in range(20):
        templates.render(
            "{% for i in text %}{% for j in range(50) %}{% endfor %}{% endfor %}", DOCUMENT
        )
