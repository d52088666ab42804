"""scriptorium: from page data to an OCR model, and from the model to converted corpora."""

from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "rules/common.smk"
include: "rules/synth.smk"
include: "rules/mix.smk"
include: "rules/train.smk"
include: "rules/weights.smk"
include: "rules/bench.smk"
include: "rules/candidates.smk"
include: "rules/convert.smk"
include: "rules/report.smk"


localrules:
    all,
    ablation,
    convert_corpus,
    corpus_viewer,
    measure_candidates,
    stage,
    external,


onstart:
    own_results()


rule all:
    default_target: True
    input:
        scores(CHOICE.benches),
        rules.convert_corpus.input if CHOICE.corpus else [],
        "<results>/report.html",
