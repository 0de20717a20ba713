r"""Every setting once: its default, range, unit, help, other names, and how strings become it.

SageMaker sends strings only, some clients JSON-encode them first (`"\"0.1\""`), people write `true`, `True` or `1`: `parse`
takes them all and reports every problem in one UserError. The command line's options, the README's table and the environment's
names are loops over these fields.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args, get_origin, get_type_hints

from pydantic import Field, TypeAdapter, ValidationError

from relabel.errors import UserError

KEY = "setting"
LONGEST_SHOWN = 40

Policy = Literal["auto", "keep", "drop", "weight", "soft", "flip"]
Schedule = Literal["constant", "linear", "cosine"]
Characters = Literal["words", "ascii", "all"]
StopWords = Literal["none", "english"]
Stemming = Literal["none", "porter", "english"]
Truncation = Literal["head", "tail", "ends"]
Pooling = Literal["all", "max", "mean", "last"]
LearnerName = Literal["", "mlp", "linear", "boosted", "lstm", "pooled", "convolutional", "fine_tuned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a field tells people: help, unit, range (bounds included unless `above`), and its other names."""

    help: str
    unit: str = ""
    low: float | None = None
    above: float | None = None
    high: float | None = None
    aliases: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()

    def range_text(self) -> str:
        """Say the allowed values: `2 to 100`, `above 0`, `` where anything goes."""
        low = f"above {self.above:g}" if self.above is not None else f"{self.low:g}" if self.low is not None else ""
        if self.high is None:
            return low if self.above is not None or not low else f"{low} or more"
        return f"{low} to {self.high:g}"


def setting(default: Any, **about: Any) -> Any:
    """Declare a field with its Setting."""
    return dataclasses.field(default=default, metadata={KEY: Setting(**about)})


class Settings:
    """What the classes below share.

    presets: name -> values to start from.
    learners: name -> values that a learner needs in place of the defaults; a preset's own recipe, which is for the mlp, is not for them.
    retired: names that are accepted and have no effect -> what happens in their place.
    """

    __slots__ = ()
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    learners: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    retired: ClassVar[Mapping[str, str]] = {}


FEW_FITS: Mapping[str, Any] = {"seeds": 3, "folds": 3}
"""For learners of which a fit takes minutes; what a preset says of these wins."""

LINEAR: Mapping[str, Any] = {"vocabulary": 100_000, "ngrams": 2, "max_tokens": 0, "weight_decay": 0.5}
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


EFFORT = ("seeds", "folds", "repeats", "passes", "policy", "flip_above")
"""Settings of a preset that hold for every learner; its others are the mlp's."""


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
        help="stop a model after this many epochs without a better dev log loss and keep its best; 0 is off",
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
    width_expected: int = setting(0, low=0, help="embedding width to insist on; 0 takes what the first file has")

    data_issues: Literal["off", "on", "thorough"] = setting(
        "on",
        help="look for near duplicates, outliers, rare classes, weak slices, overlapping classes and drift between splits; "
        "`thorough` misses fewer near rows and takes six times as long on 10,000 rows, eighteen times on 60,000",
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
    retired: ClassVar[Mapping[str, str]] = {
        "ckpt_dir": "checkpoints go to the checkpoint folder of the platform",
        "review_save_dir": "results go to the output folder of the platform",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings(Settings):
    """How the endpoint works."""

    port: int = setting(8080, low=1, high=65535, help="port to listen on", environment=("SAGEMAKER_BIND_TO_PORT",))
    workers: int = setting(
        0,
        low=0,
        high=256,
        help="worker processes; 0 is one per processor core, at most 4",
        environment=("SAGEMAKER_MODEL_SERVER_WORKERS", "MODEL_SERVER_WORKERS"),
    )
    timeout: int = setting(
        60,
        low=1,
        unit="s",
        help="a worker that is silent for longer is replaced, a body that stops coming for longer is refused",
        environment=("SAGEMAKER_MODEL_SERVER_TIMEOUT", "MODEL_SERVER_TIMEOUT"),
    )
    max_payload_mb: int = setting(
        25,
        low=0,
        high=1024,
        unit="MB",
        help="largest request body; 0 is 1024 MB",
        environment=("SAGEMAKER_MAX_PAYLOAD_IN_MB",),
    )
    max_content_length: int = setting(
        0,
        low=0,
        unit="bytes",
        help="largest request body in bytes, in place of max_payload_mb; 0 is off",
        environment=("MAX_CONTENT_LENGTH",),
    )
    accept: str = setting(
        "",
        help="media types of the answer where a request does not say any; empty is the type of the request",
        environment=("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT",),
    )
    bad_records: Literal["refuse", "report"] = setting(
        "refuse",
        help="what a record that cannot be read does: `refuse` the request, or `report` it in its place of the answer",
    )
    batch: bool = setting(
        False, help="serve a batch transform job: bodies of 100 MB at least", environment=("SAGEMAKER_BATCH",)
    )
    log_share: float = setting(1.0, low=0, high=1, help="share of the requests that are logged; failures always are")
    plain_lines: bool = setting(
        False,
        help="each line of `text/plain` is a text of its own; so it is where `batch` is set, or a request says `lines=true`",
    )
    cors_origins: str = setting(
        "",
        help="web pages that may ask from a browser: `*`, or origins like `https://example.org` with commas between; empty is none",
    )
    query_text: bool = setting(
        False, help="answer `GET /?input_str=…` too; off, because addresses end up in logs on the way"
    )
    model_uri: str = setting(
        "",
        help="where the model is, in place of the platform's folder: a path, `https://…`, `s3://…`, `models:/…`, `runs:/…`; see "
        "docs/model_from_elsewhere.md",
    )
    model_sha256: str = setting("", help="hash that the model must have, of its archive or of its `model.json`")

    def limit(self) -> int:
        """Give the largest body in bytes."""
        megabytes = max(self.max_payload_mb or 1024, 100 if self.batch else 0)
        return self.max_content_length or megabytes << 20


S = TypeVar("S", bound=Settings)


def fields(cls: type[Any]) -> dict[str, tuple[Any, Any, Setting]]:
    """List the settings of a class: name -> (type, default, Setting)."""
    hints = get_type_hints(cls)
    return {f.name: (hints[f.name], f.default, f.metadata[KEY]) for f in dataclasses.fields(cls)}


def parse(cls: type[S], raw: Mapping[str, Any]) -> S:
    """Turn strings (or JSON values) into settings.

    Keys may be a field's name or one of its aliases, with `-` or `_`; what SageMaker adds for itself (`sagemaker_…`,
    `_tuning_objective_metric`) and `null` are passed over; retired names are accepted without effect (see `retired_notes`).

    Raises UserError with every problem at once: unknown names, values of the wrong kind or outside their range, one setting
    given twice.
    """
    known = fields(cls)
    names = {alias: name for name, field in known.items() for alias in (name, *field[2].aliases)}
    problems: list[str] = []
    given: dict[str, Any] = {}
    for key, value in raw.items():
        plain = key.strip().lstrip("-").replace("-", "_")
        if plain.startswith("sagemaker_") or plain == "_tuning_objective_metric" or plain in cls.retired:
            continue
        if plain not in names:
            problems.append(_unknown(key, names))
            continue
        name = names[plain]
        try:
            coerced = _coerce(name, value, known[name])
        except ValueError as error:
            problems.append(str(error))
            continue
        if coerced is not None and name in given and given[name] != coerced:
            problems.append(f"{name} is given twice with different values: keep one of its names")
        if coerced is not None:
            given[name] = coerced
    if problems:
        raise UserError(*problems)
    return cls(**{**_started(cls, given.get("preset", ""), given.get("learner", "")), **given})


def _started(cls: type[Settings], preset: str, learner: str) -> dict[str, Any]:
    """Give the values to start from. Of a preset, a learner with defaults of its own takes what is no recipe."""
    own = cls.learners.get(learner, {})
    chosen = cls.presets.get(preset, {})
    effort = {name: value for name, value in chosen.items() if not own or name in EFFORT}
    return {**own, **effort}


def retired_notes(cls: type[S], raw: Mapping[str, Any]) -> list[str]:
    """Say of each retired name in `raw` what happens in its place."""
    return [f"setting {name} has no effect: {why}" for name, why in cls.retired.items() if name in raw]


def from_environment(cls: type[S], environment: Mapping[str, str]) -> dict[str, str]:
    """Pick the settings that the environment gives: `RELABEL_<NAME>`, then the names in use elsewhere; first found wins."""
    found: dict[str, str] = {}
    for name, field in fields(cls).items():
        for variable in (f"RELABEL_{name.upper()}", *field[2].environment):
            if environment.get(variable, "") != "":
                found.setdefault(name, environment[variable])
    return found


def as_dict(settings: Settings) -> dict[str, Any]:
    """Give the settings as plain values, in the order of their declaration."""
    return {name: getattr(settings, name) for name in fields(type(settings))}


def markdown(cls: type[Settings]) -> str:
    """Make the table of the settings, with other names (of options, of variables), default and range."""
    lines = ["| setting | default | range | what it is |", "|---|---|---|---|"]
    for name, (hint, default, about) in fields(cls).items():
        choices = ", ".join(value for value in get_args(hint) if value) if get_origin(hint) is Literal else ""
        names = ", ".join(f"`{n}`" for n in (name, *about.aliases, *about.environment))
        allowed = f"{about.range_text()} {about.unit}".strip() if about.range_text() else choices
        lines.append(f"| {names} | {f'`{default}`' if default != '' else ''} | {allowed} | {about.help} |")
    return "\n".join(lines)


def _coerce(name: str, value: Any, field: tuple[Any, Any, Setting]) -> Any:
    """Give the typed value, or None where there is none; ValueError says what was seen and what was expected."""
    hint, _, about = field
    decoded = _json_decoded(value)
    if decoded is None or value == "":
        return None
    if hint is str:
        return decoded if isinstance(decoded, str) else str(value)
    bounded: Any = Annotated[hint, Field(ge=about.low, gt=about.above, le=about.high, allow_inf_nan=False)]
    adapter = TypeAdapter(bounded if hint in (int, float) else hint)
    try:
        return adapter.validate_python(decoded)
    except ValidationError as error:
        raise ValueError(f"{name} is {_shown(value)}: {_expected(hint, about, error)}") from None


def _json_decoded(value: Any) -> Any:
    """Undo one JSON encoding of a string; what is no JSON stays as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value.strip()


def _expected(hint: Any, about: Setting, error: ValidationError) -> str:
    kind = {int: "a whole number", float: "a number", bool: "true or false"}.get(hint)
    if kind is None:
        return str(error.errors()[0]["msg"])[0].lower() + str(error.errors()[0]["msg"])[1:]
    allowed = about.range_text()
    return f"give {kind}{', ' + allowed if allowed else ''}{' ' + about.unit if about.unit and allowed else ''}"


def _unknown(key: str, names: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(key.lstrip("-").replace("-", "_"), names, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"the settings are {', '.join(sorted(set(names.values())))}"
    return f"unknown setting {_shown(key)}: {hint}"


def _shown(value: Any) -> str:
    text = str(value)
    return repr(text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…")
