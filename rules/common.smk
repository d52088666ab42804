"""The config, the plan, and short functions that say what a rule's job reads."""

import os
import re
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

ROOT = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parent
sys.path.insert(0, str(ROOT / "src"))

from scriptorium.bench.candidates.specs import ModelSpec, read_candidates
from scriptorium.bench.revision import REVISION as SCORES_REVISION
from scriptorium.convert.inputs import state
from scriptorium.convert.outputs import REVISION as OUTPUTS_REVISION
from scriptorium.convert.outputs.options import parse as parse_outputs
from scriptorium.convert.report import REVISION as REPORT_REVISION
from scriptorium.errors import ConfigError
from scriptorium.mix.filters import REVISION as FILTERS_REVISION
from scriptorium.mix.filters import parse as parse_filters
from scriptorium.recipe import claim, lineage
from scriptorium.recipe.choice import EXTERNAL, bench_place, choose
from scriptorium.recipe.config import load_config
from scriptorium.recipe.plan import hub_folder, hub_model, is_run, make_plan, run_text
from scriptorium.recipe.recipe import SAMPLING
from scriptorium.recipe.recipe import PagesRef
from scriptorium.recipe.recipe import load as load_recipe
from scriptorium.report import REVISION as LAYOUT_REVISION
from scriptorium.serve.adapter import load as load_adapter
from scriptorium.synth.shard import REVISION as PAGES_REVISION

try:
    FILES = [Path("config/config.yaml"), *workflow.overwrite_configfiles]
    CONFIG = load_config(config, FILES, workflow.config_settings.config)
    RECIPE = load_recipe(CONFIG.recipe)
    PLAN = make_plan(RECIPE)
    CHOICE = choose(CONFIG, RECIPE, PLAN)
    ADAPTER = load_adapter(RECIPE.model)
    load_adapter(CHOICE.adapter)
    BENCH = bench_place(CONFIG)
    OUTPUTS = parse_outputs(
        {"formats": CONFIG.formats, "filters": CONFIG.filters, **CONFIG.outputs},
        "config: outputs",
    )
    FILTERS = {
        name: parse_filters(source.filters) for name, source in RECIPE.sources.items()
    }
    CANDIDATES = read_candidates(Path(CONFIG.candidates)) if CONFIG.candidates else {}
except ConfigError as error:
    raise WorkflowError(str(error)) from None

RESULTS = CONFIG.results
SYNTH = [name for name, source in RECIPE.sources.items() if source.synth]
HUB = [name for name, source in RECIPE.sources.items() if source.hub]
VERIFIED = [name for name in lineage.full_runs(PLAN) if PLAN[name].method != "init"]
MEASURED = [EXTERNAL] if CHOICE.external else lineage.full_runs(PLAN)


pathvars:
    results=RESULTS,
    logs=f"{RESULTS}/logs",
    benchmarks=f"{RESULTS}/benchmarks",


wildcard_constraints:
    source="[^/]+",
    split="[^/]+",
    shard="[0-9]+",
    corpus="[^/]+",
    run="[^/]+",


# Every shell command sees src/ and the leases. Without conda it runs in the Python that runs
# Snakemake; with it, in its rule's environment (the prefix follows its activation).
# Snakemake itself sets OMP_NUM_THREADS and its kin to the rule's threads.
CONDA = any(m.name == "CONDA" for m in workflow.deployment_settings.deployment_method)
BIN = (
    ""
    if CONDA
    else f"export PATH={shlex.quote(os.path.dirname(sys.executable))}:$PATH; "
)
SETTINGS = f"PYTHONPATH={shlex.quote(f'{ROOT}/src')} SCRIPTORIUM_LEASES={shlex.quote(f'{RESULTS}/leases')}"
shell.prefix(f"{BIN}export {SETTINGS}; ")


def own_results():
    """Write down whose results folder this is, or stop: it belongs to another recipe."""
    try:
        claim.claim(Path(RESULTS), RECIPE.name)
    except ConfigError as error:
        raise WorkflowError(str(error)) from None


def warn_of_owner():
    """Say in a dry run what a real one would refuse."""
    try:
        claim.check(Path(RESULTS), RECIPE.name)
    except ConfigError as error:
        logger.warning(f"Only a dry run can go on: {error}")


warn_of_owner()


def script(name):
    """A rule's script, as an input: editing it reruns the rule."""
    return os.path.relpath(ROOT / "workflow" / "scripts" / name)


def some(names):
    """A wildcard's pattern: one of these names. It matches nothing when there are none."""
    return "|".join(map(re.escape, names)) or "(?!)"


def runs(method):
    """The pattern of the runs that one rule makes."""
    return some(name for name, run in PLAN.items() if run.method == method)


def need(wildcards):
    """What the job of a run asks of its machine."""
    return PLAN[wildcards.run].resources


# Data


def origin(wildcards):
    """The source behind a wildcard."""
    return RECIPE.sources[wildcards.source]


def shard_pages(wildcards):
    """The number of pages in one generated shard."""
    return origin(wildcards).splits[wildcards.split].pages_of(int(wildcards.shard))


def shards(wildcards):
    """The generated shards of a split."""
    count = origin(wildcards).splits[wildcards.split].shards
    return [
        f"{RESULTS}/synth/{wildcards.source}/{wildcards.split}/{k}"
        for k in range(count)
    ]


def pages(split):
    """The folder of single pages of a split: anything with a source and a split."""
    folder = origin(split).folder or f"{RESULTS}/pages/{split.source}"
    return f"{folder}/{split.split}"


def to_learn(split):
    """The folder of pages to learn from: filtered, where the recipe says so."""
    filtered = f"{RESULTS}/filtered/{split.source}/{split.split}"
    return filtered if origin(split).filters else pages(split)


def measured(wildcards):
    """The folders of pages that models are measured on, which no page to learn from may be known to."""
    held_out = [each for stage in RECIPE.stages.values() for each in stage.eval_data]
    splits = {
        (each.source, each.split): each
        for each in [RECIPE.bench, *held_out]
        if each.source in RECIPE.sources and not RECIPE.sources[each.source].rows
    }
    own = (wildcards.source, wildcards.split) in splits
    off = FILTERS[wildcards.source].contamination == "off"
    return [] if own or off else [pages(each) for each in splits.values()]


def filter_flags(wildcards):
    """The filters of a source as arguments."""
    return [flag for each in origin(wildcards).filters for flag in ("--filter", each)]


def deny_list(wildcards):
    """The file of pages that are not wanted, so that another one filters again."""
    path = FILTERS[wildcards.source].deny
    return [path] if path else []


def rows(splits):
    """The training rows of some splits: packed here, finished before, or made by a stage."""
    return [row_file(each) for each in splits]


def row_file(split):
    """The file of a split's rows."""
    if split.source not in RECIPE.sources:
        return f"{RESULTS}/{split.source}/rows.parquet"
    finished = origin(split).rows
    return f"{finished or f'{RESULTS}/rows/{split.source}'}/{split.split}.parquet"


def size():
    """How large the training pages are drawn."""
    most = ["--max-scale", ADAPTER.max_scale] if ADAPTER.max_scale else []
    return ["--side", ADAPTER.image_side, *most]


# Models


def receipts(names):
    """The receipts of runs that make a model; a path, a hub model or a run that makes rows has none."""
    made = [
        name for name in names if name in PLAN and PLAN[name].method not in SAMPLING
    ]
    return [f"{RESULTS}/{name}/model.json" for name in made]


def model(name):
    """The model folder of a parent: a run's, one from the hub once fetched, or a path as it is."""
    if name.startswith("hub:"):
        return f"{RESULTS}/hub/{hub_folder(name)}"
    return f"{RESULTS}/{name}/model" if is_run(name) else name


def chosen(wildcards):
    """How a soup's ingredients are chosen, as arguments."""
    run = PLAN[wildcards.run]
    if run.greedy:
        reader = ["--adapter", RECIPE.model, "--threads", need(wildcards).threads]
        return ["--pages", pages(run.eval_data[0]), *reader]
    return ["--state", f"{RESULTS}/{run.parents[0]}/state"] if run.last else []


def served(name):
    """What a server is started with for a run: its model folder, or the model from elsewhere."""
    return model(name) if name in PLAN else CHOICE.external


def model_files(name):
    """The model folder behind it; none of a model from elsewhere."""
    return [model(name)] if name in PLAN else []


def quantised(own):
    """The runs that are quantised by our own writer, or by llm-compressor."""
    return [
        name
        for name, run in PLAN.items()
        if run.method == "quantize" and (run.scheme == "FP8_DYNAMIC") == own
    ]


def calibration_pages(name):
    """The pages that a quantisation measures activations on, if it does."""
    wanted = PLAN[name].calibration
    return (
        [pages(PagesRef(source=wanted["source"], split=wanted["split"]))]
        if wanted
        else []
    )


def verified(name):
    """What stands for the comparison that a run has to pass before it is measured, if it has to."""
    return [f"{RESULTS}/{name}/verify.json"] if name in VERIFIED else []


def adapter(name):
    """The model adapter a run is read with."""
    return RECIPE.model if name in PLAN else CHOICE.adapter


# Scores and corpora


def scores(names):
    """The scores of runs."""
    return [f"{RESULTS}/{name}/bench.json" for name in names]


def relative_scores(wildcards):
    """The scores that a run's are compared with."""
    return scores(run for _, run in lineage.relatives(PLAN, wildcards.run))


def relatives(wildcards):
    """The same as arguments."""
    kin = lineage.relatives(PLAN, wildcards.run)
    return (
        ["--relative", *(f"{how}={run}={RESULTS}/{run}/bench.json" for how, run in kin)]
        if kin
        else []
    )


PAIRS = lineage.varied(RECIPE.variants, PLAN)
ABLATION = Path(CONFIG.recipe).stem


def ablation_table(wildcards):
    """The table of the recipe's variants."""
    if not PAIRS:
        raise WorkflowError(
            "config: recipe: it varies nothing; name one of config/ablations"
        )
    return f"{RESULTS}/ablations/{ABLATION}.md"


def bench_files():
    """What stands for the bench that candidates are measured on: its lock once fetched, or its tests."""
    if BENCH.repo:
        return f"{RESULTS}/candidates/bench.lock.json"
    return sorted(map(str, Path(BENCH.folder).glob("*.jsonl")))


def candidate_gpus(name):
    """The GPUs of a candidate's job: a model that is served here needs what the recipe's need."""
    return RECIPE.serve.gpus if isinstance(CANDIDATES[name], ModelSpec) else 0


def measured_candidates(wildcards):
    """Scores and report of every candidate, and their comparison where there are two."""
    if not CANDIDATES:
        raise WorkflowError("config: candidates: name a YAML file of tools to measure")
    names = [*CANDIDATES, "comparison"] if len(CANDIDATES) > 1 else CANDIDATES
    folder = f"{RESULTS}/candidates"
    return [*(f"{folder}/{name}.json" for name in names), f"{folder}/report"]


def bench_pages_to_show():
    """The bench pages that the report draws: only pages we generated, since it opens them itself."""
    return [pages(RECIPE.bench)] if RECIPE.bench.source in SYNTH else []


def corpus_folder(wildcards):
    """What the plan is made from: the corpus itself, or the generated shard it lies in; no file for a URI."""
    if CONFIG.corpus and "://" in CONFIG.corpus:
        return []
    return CONFIG.corpus or os.path.dirname(CHOICE.documents)


def corpus_state(wildcards):
    """What a folder of one's own holds, sub-folders too: their times say nothing of it to Snakemake."""
    return state(CONFIG.corpus) if CONFIG.corpus else ""


def shard_receipts():
    """The receipts of every shard of the corpus."""
    return [
        f"{RESULTS}/corpus/{CHOICE.corpus}/shards/{k}.json"
        for k in range(CONFIG.shards)
    ]


def corpus_report():
    """The report of the corpus, if there is one."""
    return f"{RESULTS}/corpus/{CHOICE.corpus}/report.json" if CHOICE.corpus else []


def corpus_viewer_folder(wildcards):
    """The folder in which a browser shows the corpus."""
    if CHOICE.corpus is None:
        raise WorkflowError(CHOICE.no_corpus)
    return f"{RESULTS}/corpus/{CHOICE.corpus}/viewer"


def corpus_files(wildcards):
    """What a converted corpus consists of."""
    if CHOICE.corpus is None:
        raise WorkflowError(CHOICE.no_corpus)
    return [
        f"{RESULTS}/corpus/{CHOICE.corpus}/{name}"
        for name in (*OUTPUTS.formats, "documents.jsonl", "report.json")
    ]
