"""The rules of the weights check."""

from __future__ import annotations

from bot.finding import Level, Rule

PICKLE = Rule(
    "weights/pickle",
    Level.FAILURE,
    "A file that is, or would be read as, a Python pickle.",
    "Loading a pickle runs whatever code its author put in it.",
    "Save the weights as safetensors ('modelwarden recipe convert FILE OUT.safetensors') and"
    " remove this file.",
)
HOSTILE = Rule(
    "weights/hostile",
    Level.FAILURE,
    "A file of a model that would run code, read other files, or mislead whoever loads it.",
    "A loader does what the file says: a template, a graph, a container or a link can act.",
    "Do not load it. Publish weights as safetensors, and templates without such constructs.",
)
CODE = Rule(
    "weights/executable-config",
    Level.FAILURE,
    "A model configuration that names code to import (auto_map, trust_remote_code, _target_ ...).",
    "Loaders fetch and run the named code, so the configuration is a program.",
    "Use a class of a released library, and drop the key.",
)
SAFETENSORS = Rule(
    "weights/safetensors-invalid",
    Level.FAILURE,
    "A safetensors file whose header is malformed or does not match the file.",
    "Readers may refuse it, or take bytes for weights that are not.",
    "Save the file again with the safetensors library.",
)
INDEX = Rule(
    "weights/unsafe-index",
    Level.FAILURE,
    "A shard index with names that leave the folder or have another suffix, or missing shards.",
    "A loader follows the index: out of the folder, or into a failure.",
    "Save the model again so that index and shards agree.",
)
BINARY = Rule(
    "weights/binary-in-git",
    Level.FAILURE,
    "A big binary file committed to git itself.",
    "Every clone carries every version of it for ever.",
    "Track it with DVC ('dvc add') or Git LFS ('git lfs track') and commit the pointer.",
)
UNDECIDED = Rule(
    "weights/undecided",
    Level.UNKNOWN,
    "A file that is named like weights, but whose content cannot be judged.",
    "What cannot be judged may be anything.",
    "Use safetensors; if the file holds no weights, rename it or waive the rule for its path.",
)
POINTER = Rule(
    "weights/pointer-changed",
    Level.NOTE,
    "An LFS or DVC pointer that names new content, which was at hand and was judged.",
    "A two-line pointer may stand for gigabytes of new weights.",
    "Look whether the change is meant.",
)
UNSEEN = Rule(
    "weights/content-unseen",
    Level.NOTE,
    "An LFS or DVC pointer whose content is not at hand, so that it was not judged.",
    "Only the pointer is in git. Names of pickle formats block; so does every name under"
    " 'pointers: require-content'.",
    "Fetch the content first ('git lfs fetch' or 'dvc fetch' of the head), then check again.",
)
MALFORMED = Rule(
    "weights/pointer-invalid",
    Level.FAILURE,
    "An LFS pointer, .dvc file or dvc.lock that is malformed or names unsafe paths.",
    "Tools read a malformed pointer in different ways, or write outside the repository.",
    "Write the pointer again with git lfs or dvc.",
)
UNREADABLE = Rule(
    "weights/config-unreadable",
    Level.WARNING,
    "A model configuration that is not JSON.",
    "No loader can read it, so what it was meant to say is unknown.",
    "Write the configuration again as plain JSON.",
)
TENSORS = Rule(
    "weights/tensors-changed",
    Level.NOTE,
    "Tensors of a safetensors model differ from the model before, or from its declared base.",
    "Nobody can read weights; which tensors moved, and how far, is what a reviewer can see.",
    "Look at the table: are these the tensors that the change says it trained?",
)
NOT_FINITE = Rule(
    "weights/not-finite",
    Level.FAILURE,
    "A new or changed tensor holds NaN or infinity (a note where it did before).",
    "One such number spreads through every layer after it: training broke, or a file was damaged.",
    "Save the weights from a step before the numbers broke.",
)
EMPTIED = Rule(
    "weights/zeroed",
    Level.WARNING,
    "All numbers of a tensor became zero.",
    "A part of the model that is zero does nothing any more.",
    "If it was pruned on purpose, say so in the pull request.",
)
VOCABULARY = Rule(
    "weights/vocabulary",
    Level.WARNING,
    "The embedding of a changed model has another number of rows than config.json says.",
    "Loaders refuse the model, or read token ids past the end of the table.",
    "Set vocab_size to the number of rows, or save the resized model and its configuration again.",
)
NOT_COMPARED = Rule(
    "weights/not-compared",
    Level.NOTE,
    "A changed model, or some of its tensors, was not compared; the message says why.",
    "What was not compared may differ in any way.",
    "Have the base at hand (git lfs fetch, dvc fetch), install numpy, or raise"
    " weights.compare_bytes.",
)
RULES = (
    PICKLE,
    HOSTILE,
    CODE,
    SAFETENSORS,
    INDEX,
    BINARY,
    UNDECIDED,
    POINTER,
    UNSEEN,
    MALFORMED,
    UNREADABLE,
    TENSORS,
    NOT_FINITE,
    EMPTIED,
    VOCABULARY,
    NOT_COMPARED,
)
