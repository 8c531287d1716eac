"""Rules of the check `regression`."""

from __future__ import annotations

from bot.finding import Level, Rule

REGRESSED = Rule(
    "regression/regressed",
    Level.FAILURE,
    "The model predicts a suite worse than before, beyond the tolerance and beyond chance.",
    "A worse model merged today is the base of every later comparison.",
    "Look at the items that changed most, fix the training or conversion, or raise "
    "regression.tolerance if the loss is accepted.",
)
IMPROVED = Rule(
    "regression/improved",
    Level.NOTE,
    "The model predicts a suite better than before, beyond chance.",
    "It is worth a line in the release notes.",
    "Nothing to do.",
)
NO_CHANGE = Rule(
    "regression/no-change",
    Level.NOTE,
    "The model is no worse on a suite: a loss beyond the resolution is ruled out.",
    "'Not detected' is only as good as what the suite could have seen.",
    "Lower regression.resolution if smaller losses must be ruled out.",
)
TOLERATED = Rule(
    "regression/within-tolerance",
    Level.WARNING,
    "The model is worse than before, within the policy's tolerance.",
    "Tolerated losses add up over many changes.",
    "Nothing to do if the loss is worth it; lower regression.tolerance otherwise.",
)
LESS_LIKELY = Rule(
    "regression/less-likely",
    Level.FAILURE,
    "Right answers are less likely than before, beyond the tolerance; accuracy is within noise.",
    "Likelihood sees damage with a hundredth of the items that accuracy needs: it comes first.",
    "Look at the items that changed most. Where only accuracy counts, make this rule a warning "
    "under levels, or raise regression.tolerance.",
)
ANSWERS_LOST = Rule(
    "regression/answers-lost",
    Level.FAILURE,
    "Fewer right answers than before, beyond the tolerance, while their likelihood did not fall.",
    "Accuracy is what people use; likelihood alone can hide that close calls flipped.",
    "Look at the items that changed most, or raise regression.accuracy_tolerance.",
)
SLICE_WORSE = Rule(
    "regression/slice-worse",
    Level.WARNING,
    "The model is worse on a part of a suite, such as one language or one group.",
    "An average can hold while some people's share of it falls.",
    "Look at the slice's items; make this rule a failure under levels where slices must not fall.",
)
BELOW_LIMIT = Rule(
    "regression/below-limit",
    Level.FAILURE,
    "A metric is beyond the limit that the policy sets for its suite, and was not before.",
    "The limit is what the project promises, whatever the last release scored.",
    "Improve the model, or change the suite's limit in a change of its own.",
)
PRE_EXISTING = Rule(
    "regression/pre-existing",
    Level.NOTE,
    "A metric is beyond the limit of the policy, and was so before the change.",
    "The change is not to blame for what was there before it.",
    "Nothing to do in this change; improve the model in one of its own.",
)
SLOWER = Rule(
    "regression/slower",
    Level.WARNING,
    "The model reads or writes more slowly than before, or needs more memory.",
    "Speed and memory are what users pay for, and no score shows them.",
    "Undo what costs time if it was no purpose; else raise regression.slowdown.",
)
PACE_UNCLEAR = Rule(
    "regression/pace-unclear",
    Level.NOTE,
    "The runs vary too much to tell whether the model got slower.",
    "Times of a busy machine say little; what was not seen may still be there.",
    "Run the check on a quieter machine if speed matters.",
)
TOKENIZER = Rule(
    "regression/tokenizer-changed",
    Level.NOTE,
    "The tokenizer's vocabulary is another one than before.",
    "Scores per token no longer compare, and every user's cached ids change their meaning.",
    "Say so in the release notes; bits per byte still compare.",
)
INCONCLUSIVE = Rule(
    "regression/inconclusive",
    Level.UNKNOWN,
    "A suite is too small or too noisy to tell whether the model got worse.",
    "A comparison that cannot see a loss must not pass for one that saw none.",
    "Add items to the suite, raise regression.limit, or raise regression.resolution.",
)
IDENTICAL = Rule(
    "regression/identical",
    Level.NOTE,
    "The model's configuration, tokenizer and weights are the same bytes as before.",
    "Same bytes, same scores: nothing needs to be run.",
    "Nothing to do.",
)
ADDED = Rule(
    "regression/model-added",
    Level.NOTE,
    "The change adds a model; there is none before to compare it with.",
    "The new model was loaded and scored, so that the next change has something to be held to.",
    "Nothing to do.",
)
REMOVED = Rule(
    "regression/model-removed",
    Level.FAILURE,
    "The change removes the model, or moves it away from where the policy expects it.",
    "Without a model nothing later can be compared.",
    "Keep the model, or change regression.model in a change of its own first.",
)
MISSING = Rule(
    "regression/weights-missing",
    Level.UNKNOWN,
    "Weights that a commit points to are not at hand and cannot be fetched.",
    "What is not there cannot be measured.",
    "Fetch the weights (git lfs fetch, dvc pull) or push them to the remote of the base branch.",
)
BROKEN = Rule(
    "regression/broken-model",
    Level.UNKNOWN,
    "A model's files are corrupt, unsafe, or cannot be loaded and scored.",
    "A model that does not load is worse than a bad one, and cannot be measured.",
    "Save the model again with save_pretrained (safetensors) and check that it loads.",
)
NO_ANSWER = Rule(
    "regression/no-answer",
    Level.UNKNOWN,
    "The sandboxed measurement ended without a usable answer.",
    "Out of time, out of memory, or a model that attacks its loader: none of them is a pass.",
    "Raise regression.minutes or regression.memory_gb, or score fewer items (regression.limit).",
)
UNPROTECTED = Rule(
    "regression/unprotected",
    Level.UNKNOWN,
    "This machine cannot give a protection that the policy requires for loading models.",
    "A model file of a stranger is a program in disguise until proven otherwise.",
    "Install bubblewrap (bwrap) and allow it user namespaces, or shorten regression.require.",
)
UNEQUIPPED = Rule(
    "regression/unequipped",
    Level.UNKNOWN,
    "The libraries that score models are not installed.",
    "Without them no model can be loaded.",
    "Install them: pip install 'modelwarden[model]'.",
)
NO_SUITE = Rule(
    "regression/no-suite",
    Level.WARNING,
    "Model weights change and the policy names no suite to judge them by.",
    "Nobody can see in a diff of weights what they do.",
    "Add a JSONL file of texts or questions, and name it under regression.suite in the policy.",
)
BAD_SUITE = Rule(
    "regression/bad-suite",
    Level.UNKNOWN,
    "A suite of the policy is missing or unreadable at the base commit.",
    "Without its yardstick the model cannot be judged.",
    "Correct regression.suite or the suite's file on the base branch first.",
)
SUITE_EDITED = Rule(
    "regression/suite-edited",
    Level.WARNING,
    "The change edits a suite that judges it; it is judged by the old one.",
    "Who moves the yardstick should not be measured by the moved one.",
    "Review the suite's change on its own; it takes effect after the merge.",
)
SEVERAL = Rule(
    "regression/several-models",
    Level.UNKNOWN,
    "Several models change and the policy does not say which one counts.",
    "Only one model is compared.",
    "Name the folder of the model under regression.model in the policy.",
)

NO_MODEL = Rule(
    "regression/no-model",
    Level.WARNING,
    "The folder the policy names holds no model, before or after the change.",
    "A policy that points nowhere judges nothing.",
    "Set regression.model to the folder with config.json and the weights.",
)
BASELINE = Rule(
    "regression/baseline",
    Level.NOTE,
    "Which release the base descends from, and whether the model was compared with its model.",
    "Losses that are tolerated one by one add up; the release is what they add up from.",
    "Nothing to do. Say baseline: release or base in the policy for the other.",
)
UNPROVEN = Rule(
    "regression/baseline-unproven",
    Level.UNKNOWN,
    "The release that the model is to be compared with cannot be read, or is not as it was made.",
    "A baseline that somebody moved lets a worse model pass.",
    "Compare the branch of releases with another clone of it (modelwarden release doctor).",
)
RULES: tuple[Rule, ...] = (
    REGRESSED,
    IMPROVED,
    NO_CHANGE,
    TOLERATED,
    LESS_LIKELY,
    ANSWERS_LOST,
    SLICE_WORSE,
    BELOW_LIMIT,
    PRE_EXISTING,
    SLOWER,
    PACE_UNCLEAR,
    TOKENIZER,
    INCONCLUSIVE,
    IDENTICAL,
    ADDED,
    REMOVED,
    MISSING,
    BROKEN,
    NO_ANSWER,
    UNPROTECTED,
    UNEQUIPPED,
    NO_SUITE,
    BAD_SUITE,
    SUITE_EDITED,
    SEVERAL,
    NO_MODEL,
    BASELINE,
    UNPROVEN,
)
