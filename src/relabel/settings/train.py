"""How the training job works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from relabel.settings.declaration import Settings, setting

Policy = Literal["auto", "keep", "drop", "weight", "soft", "flip"]
Schedule = Literal["constant", "linear", "cosine"]
Characters = Literal["words", "ascii", "all"]
StopWords = Literal["none", "english"]
Stemming = Literal["none", "porter", "english"]
Truncation = Literal["head", "tail", "ends"]
Pooling = Literal["all", "max", "mean", "last"]
LearnerName = Literal["", "mlp", "linear", "boosted", "lstm", "pooled", "convolutional", "fine_tuned"]

FEW_FITS: Mapping[str, Any] = {"seeds": 3, "folds": 3}
"""For learners of which a fit takes minutes; what a preset says of these wins."""

LINEAR: Mapping[str, Any] = {"vocabulary": 100_000, "ngrams": 2, "max_tokens": 0, "weight_decay": 0.5, "patience": 1}
NETWORK: Mapping[str, Any] = {
    "max_epochs": 12,
    "patience": 3,
    "lr": 2e-3,
    "weight_decay": 0.1,
    "batch_size": 64,
    "dropout": 0.5,
    "word_dropout": 0.1,
    "gradient_clip": 5.0,
    "checkpoint_seconds": 30.0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSettings(Settings):
    """How the training job works."""

    preset: Literal["", "seed", "fast", "quality", "thorough"] = setting(
        "",
        help="values to start from: `seed` repeats the plain recipe (one seed, one pass, doubtful labels flipped), "
        "`fast` does least, `quality` finds most errors, `thorough` compares with more models besides; what you set yourself wins",
    )
    seed: int = setting(0, low=0, high=2**31 - 1, help="every random choice of the job follows from it")
    seeds: int = setting(
        5, low=1, high=50, help="models trained before and after the cleaning, for the interval of the gain"
    )
    folds: int = setting(5, low=2, high=100, help="folds of the cross-validation", aliases=("n_splits", "k_folds"))
    repeats: int = setting(1, low=1, high=20, help="cross-validations with other folds, averaged")
    passes: int = setting(
        1, low=1, high=2, help="audits: the second trains its folds without the worst rows of the first"
    )

    learner: LearnerName = setting(
        "",
        help="what is trained: `mlp` takes embeddings, `linear` (TF-IDF), `boosted` (trees), `lstm`, `pooled`, `convolutional` and `fine_tuned` (an "
        "encoder) take texts; empty is `mlp` where there are embeddings or an encoder, else `linear`. Each learner of texts has defaults of its own",
    )
    width: int = setting(64, low=1, high=8192, help="units of each hidden layer", aliases=("model_width",))
    depth: int = setting(
        1, low=0, high=8, help="hidden layers, layers of the LSTM, depth of a tree; 0 is a linear model"
    )
    dropout: float = setting(0.0, low=0, high=0.9, help="share of hidden units left out in each step")
    standardise: bool = setting(True, help="give every input the mean 0 and the deviation 1 of the training rows")
    batch_size: int = setting(32, low=1, high=65536, unit="rows", help="rows of each model's training step")
    max_epochs: int = setting(
        1, low=1, high=10_000, unit="epochs", help="passes over the training rows", aliases=("epochs",)
    )
    lr: float = setting(3e-4, above=0, high=1, help="learning rate of Adam", aliases=("learning_rate",))
    weight_decay: float = setting(
        0.0,
        low=0,
        high=10,
        help="decoupled weight decay (AdamW); of `linear` the penalty on weights, of `boosted` on leaves",
    )
    gradient_clip: float = setting(0.0, low=0, help="largest gradient norm of one model; 0 is no limit")
    schedule: Schedule = setting(
        "constant", help="the learning rate over a model's own steps: constant, or falling to 0"
    )
    patience: int = setting(
        0,
        low=0,
        unit="epochs",
        help="stop a model after this many epochs without a better dev log loss and keep its best; `linear` chooses its penalty by dev; 0 is off",
    )

    strip_html: bool = setting(True, help="texts: drop tags and read character references")
    lowercase: bool = setting(True, help="texts: make all letters small")
    characters: Characters = setting(
        "words",
        help="texts: `words` are letters and digits of any script, `ascii` those of English alone, `all` keeps punctuation as words too",
    )
    stop_words: StopWords = setting("none", help="texts: leave out the most common English words; negations stay")
    stemming: Stemming = setting(
        "none", help="texts: take endings off, by Porter's algorithm or by its successor for English"
    )
    vocabulary: int = setting(
        20_000, low=10, high=2_000_000, unit="terms", help="texts: most terms that have a number of their own"
    )
    ngrams: int = setting(
        1, low=1, high=3, help="texts: words of the longest term; the networks read one word after another, so 1"
    )
    max_tokens: int = setting(256, low=0, high=100_000, unit="words", help="texts: most words of a text; 0 is no limit")
    truncate: Truncation = setting(
        "ends", help="texts: which words of a longer text stay: the first, the last, or half of each"
    )
    embedding_width: int = setting(
        64, low=1, high=4096, help="numbers that stand for a word, in the networks that read words"
    )
    pooling: Pooling = setting(
        "all",
        help="lstm: what stands for a text: the last word's state, the largest or mean values over its words, or `all` of these but the last",
    )
    dense_width: int = setting(0, low=0, high=8192, help="lstm: units of a tanh layer before the last; 0 is none")
    word_dropout: float = setting(
        0.0,
        low=0,
        high=0.9,
        help="share of words that a network seems not to know in each step, so that unknown words get a meaning",
    )
    encoder_pooling: str = setting(
        "",
        help="encoder: `mean` over tokens, `cls`, the first of them, or `max`; several as `mean+max`; empty is what the encoder says, else mean",
    )
    baselines: Literal["off", "linear", "all"] = setting(
        "linear", help="plain learners beside one of texts, to keep it honest: none, `linear`, or `boosted` too"
    )

    warm_start: Literal["off", "on"] = setting(
        "off",
        help="with a champion (the channel `model`): train once more from its weights, and serve that model where it is better on dev; `mlp`, and "
        "networks of the same vocabulary",
    )

    policy: Policy = setting(
        "auto",
        help="what is done with doubtful training rows: keep, drop, weigh down by the error posterior, train on soft labels, or flip to the "
        "suggested label; `auto` tries them and takes the best, or none where the evidence is lacking",
    )
    flips: bool = setting(False, help="auto: try flip as well, which writes labels that nobody has given")
    weigh_above: float = setting(
        0.1, low=0, high=1, help="weight, soft: only rows whose error posterior is at least this"
    )
    drop_above: float = setting(0.0, low=0, high=1, help="drop: only rows whose error posterior is at least this")
    flip_above: float = setting(
        0.8, low=0, high=1, help="flip: only rows whose error posterior is at least this; the rest are kept"
    )
    max_treated_share: float = setting(
        0.35, low=0, high=1, help="share of the training rows that a policy may change, worst first"
    )
    max_flagged_share: float = setting(
        0.45,
        above=0,
        high=1,
        help="above this flagged share nothing is treated: the labels or the model are too poor to tell",
    )

    dev_share: float = setting(0.1, above=0, high=0.4, help="share of the rows drawn as dev where no dev set is given")
    test_share: float = setting(
        0.2, above=0, high=0.4, help="share of the rows drawn as test where no test set is given"
    )
    text_column: str = setting(
        "review",
        help="column of the text; where it is not there, `text`, `sentence` or `content` is taken",
        aliases=("review_column",),
    )
    label_column: str = setting("label", help="column of the label")
    id_column: str = setting("id", help="column of a row's own name; optional in the data")
    metadata_columns: str = setting(
        "", help="other columns to look at the model's errors by, such as `source,annotator`; names with commas between"
    )
    width_expected: int = setting(0, low=0, help="embedding width to insist on; 0 takes what the first file has")

    data_issues: Literal["off", "on", "thorough"] = setting(
        "on",
        help="look for near duplicates, outliers, rare classes, weak slices, overlapping classes and drift between splits; "
        "`thorough` misses fewer near rows and takes six times as long on 10,000 rows, eighteen times on 60,000",
    )
    outlook: Literal["off", "on"] = setting(
        "off",
        help="say what more labels, and what cleaner ones, would be worth, as `relabel curve` does: it takes longer than the rest of the job",
    )
    report: Literal["on", "off"] = setting(
        "on", help="look at the rows as a population (map, clusters, slices, neighbours) and write report.html"
    )
    projection: Literal["pca", "umap"] = setting(
        "pca",
        help="how rows are laid out on the map; `umap` keeps neighbours together, takes minutes and needs umap-learn",
    )
    reference_rows: int = setting(
        2000,
        low=0,
        high=20_000,
        unit="rows",
        help="dev and test rows, as numbers, that go with the model, so that `relabel drift` can hold traffic against them; 0 is none",
    )
    threads: int = setting(0, low=0, high=1024, help="processor threads; 0 is half the cores, at most 4")
    checkpoint_seconds: float = setting(
        5.0, above=0, high=3600, unit="s", help="how often a running fit is saved: the work a kill can cost"
    )

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "": {},
        "seed": {"seeds": 1, "passes": 1, "policy": "flip", "flip_above": 0.0, "folds": 3, "standardise": False},
        "fast": {"seeds": 1, "passes": 1, "folds": 3},
        "quality": {"repeats": 4, "max_epochs": 2, "dropout": 0.5},
        "thorough": {"repeats": 4, "max_epochs": 2, "dropout": 0.5, "seeds": 10},
    }
    learners: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "mlp": {},
        "linear": LINEAR,
        "boosted": {
            **FEW_FITS,
            "vocabulary": 5000,
            "max_tokens": 0,
            "weight_decay": 1.0,
            "max_epochs": 300,
            "patience": 20,
            "lr": 0.2,
            "depth": 6,
        },
        "lstm": {**NETWORK, **FEW_FITS},
        "pooled": {**NETWORK, **FEW_FITS, "embedding_width": 16, "width": 28, "dropout": 0.2},
        "convolutional": {**NETWORK, **FEW_FITS},
        "fine_tuned": {
            **FEW_FITS,
            "max_tokens": 0,
            "weight_decay": 0.01,
            "lr": 2e-5,
            "batch_size": 16,
            "max_epochs": 3,
            "patience": 1,
            "dropout": 0.1,
            "gradient_clip": 1.0,
        },
    }
    effort: ClassVar[tuple[str, ...]] = ("seeds", "folds", "repeats", "passes", "policy", "flip_above")
    retired: ClassVar[Mapping[str, str]] = {
        "ckpt_dir": "checkpoints go to the checkpoint folder of the platform",
        "review_save_dir": "results go to the output folder of the platform",
    }
