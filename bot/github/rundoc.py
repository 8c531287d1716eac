"""A check run as GitHub wants it written: pure, fifty annotations at a time."""

from __future__ import annotations

from dataclasses import replace

from bot.github.values import Annotation, RunBody

BATCH = 50  # annotations of one request; GitHub appends them, and deletes none

Json = dict[str, object]


def opening(body: RunBody) -> Json:
    """Return the request that makes a run, with the first annotations.

    One that has more to show is not concluded yet.
    """
    return {"name": body.name, "head_sha": body.head} | batch(body, 0)


def batch(body: RunBody, shown: int) -> Json:
    """Return the next update of a run that shows so many annotations; the last one concludes."""
    part = body.annotations[shown : shown + BATCH]
    if shown + BATCH < len(body.annotations):
        body = replace(body, status="in_progress", conclusion=None)
    output: Json = {"title": body.title, "summary": body.summary}
    if body.text:
        output["text"] = body.text
    if part:
        output["annotations"] = [_annotation(one) for one in part]
    made: Json = {"external_id": body.external_id, "status": body.status, "output": output}
    if body.conclusion is not None:
        made["conclusion"] = str(body.conclusion)
    if body.details_url:
        made["details_url"] = body.details_url
    made["actions"] = [
        {"label": a.label, "description": a.description, "identifier": a.identifier}
        for a in body.actions
    ]
    return made


def _annotation(one: Annotation) -> Json:
    return {
        "path": one.path,
        "start_line": one.start,
        "end_line": one.end,
        "annotation_level": one.level,
        "title": one.title,
        "message": one.message,
    }
