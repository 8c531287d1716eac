"""Every rule of a scan: what it means, and the safe way to do the same."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScanRule:
    """One kind of finding; both texts are one line."""

    name: str
    meaning: str
    remedy: str


_ALL = (
    ScanRule(
        "broken",
        "The file breaks its own format, or two readers may understand it differently.",
        "Write it again with the format's own library.",
    ),
    ScanRule(
        "limit",
        "The file asks for more than a scan may spend on it.",
        "Publish it without containers, as safetensors.",
    ),
    ScanRule(
        "template",
        "A template does what no formatting of messages needs: it could reach code or files.",
        "Write the template with plain loops, conditions and the fields of messages.",
    ),
    ScanRule(
        "template-cost",
        "A template may take time or memory out of proportion to the messages.",
        "Loop over messages and tools only; repeat no text by a computed number.",
    ),
    ScanRule(
        "hidden-text",
        "Text holds characters that no reader sees, but a model does.",
        "Remove invisible, direction-changing and tag characters.",
    ),
    ScanRule(
        "config-code",
        "A configuration names a class, file, kernel or repository whose code a loader runs.",
        "Use a class of the library itself, and review and pin the code that cannot be avoided.",
    ),
    ScanRule(
        "outside",
        "The file makes a loader read a file or address outside its own folder.",
        "Keep everything the model needs beside it, named by a plain relative path.",
    ),
    ScanRule(
        "keras-code",
        "A Keras model would rebuild code: a lambda, or an object from outside of Keras.",
        "Save weights alone as safetensors, and build the model in reviewed code.",
    ),
    ScanRule(
        "onnx-code",
        "An ONNX graph needs operators that run Python or come from a library of their own.",
        "Export with the standard operators of ONNX.",
    ),
    ScanRule(
        "unread",
        "Part of the file is of a kind that this scan does not understand.",
        "Write it with the format's own library and its common features, or use safetensors.",
    ),
    ScanRule(
        "pickle-code",
        "A pickle calls or imports what runs code on the machine that loads it.",
        "Publish safetensors; `modelwarden recipe convert` makes them inside the sandbox.",
    ),
    ScanRule(
        "pickle-unlisted",
        "A pickle asks for a name that is not known to be harmless.",
        "Publish safetensors; `modelwarden recipe convert` makes them inside the sandbox.",
    ),
    ScanRule(
        "pickle-argument",
        "A pickle uses a harmless name in a way that is not.",
        "Publish safetensors; `modelwarden recipe convert` makes them inside the sandbox.",
    ),
    ScanRule(
        "pickle-broken",
        "A pickle breaks after its loader may have acted on what came before.",
        "Write the file again, or publish safetensors.",
    ),
    ScanRule(
        "trailing",
        "The file goes on after its end, where another reader may begin.",
        "Write the file again with its own library.",
    ),
    ScanRule(
        "polyglot",
        "The file can be read as two formats, so that what is checked may not be what is loaded.",
        "Write the file again with the library of its one format.",
    ),
    ScanRule(
        "container",
        "An archive can be read in two ways, or holds names that leave the folder.",
        "Pack it again with plain relative names, without links, encryption or odd methods.",
    ),
    ScanRule(
        "packed",
        "Something is packed in a way that cannot be read here, so nothing in it was judged.",
        "Publish the files unpacked.",
    ),
    ScanRule(
        "torchscript",
        "The archive holds a TorchScript program, which its loader runs.",
        "Publish weights as safetensors and the model as reviewed code.",
    ),
    ScanRule(
        "executable",
        "A program or a library lies among the weights.",
        "Remove it; publish programs by a package index, built in the open.",
    ),
    ScanRule(
        "link",
        "A link or special file leads out of the folder.",
        "Put a regular file in its place.",
    ),
    ScanRule(
        "unknown",
        "The name says that these are weights, and their format is none that is known.",
        "Publish safetensors, GGUF or ONNX.",
    ),
    ScanRule(
        "unreadable",
        "The file could not be read, or changed while it was.",
        "Check permissions, and that nothing writes to it.",
    ),
)
RULES = {rule.name: rule for rule in _ALL}
