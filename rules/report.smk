rule report:
    input:
        script=script("report.py"),
        benches=scores(CHOICE.benches),
        receipts=receipts(PLAN) if not CHOICE.external else [],
        corpus=corpus_report(),
        pages=bench_pages_to_show(),
    output:
        "<results>/report.html",
    log:
        "<logs>/report/report.log",
    benchmark:
        "<benchmarks>/report/report.tsv"
    conda:
        "../envs/bench.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        results=lambda wildcards: RESULTS,
        runs=CHOICE.benches,
        corpus=["--corpus", CHOICE.corpus] if CHOICE.corpus else [],
        pages=["--pages", *bench_pages_to_show()] if bench_pages_to_show() else [],
        revision=LAYOUT_REVISION,
    message:
        "Write the report"
    shell:
        "python {input.script:q} --results {params.results:q} --runs {params.runs:q}"
        " {params.corpus:q} {params.pages:q} --out {output:q} &> {log:q}"


rule ablation_table:
    input:
        script=script("ablation.py"),
        benches=scores(dict.fromkeys(name for pair in PAIRS for name in pair)),
    output:
        "<results>/ablations/{name}.md",
    log:
        "<logs>/ablation_table/{name}.log",
    benchmark:
        "<benchmarks>/ablation_table/{name}.tsv"
    wildcard_constraints:
        name=some([ABLATION] if PAIRS else []),
    conda:
        "../envs/bench.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        results=lambda wildcards: RESULTS,
        pairs=[f"{variant}={base}" for variant, base in PAIRS],
        revision=SCORES_REVISION,
    message:
        "Write the table of {wildcards.name}"
    shell:
        "python {input.script:q} --pair {params.pairs:q} --results {params.results:q}"
        " --out {output:q} &> {log:q}"


rule ablation:
    input:
        ablation_table,
