rule bench_read:
    input:
        script=script("bench_read.py"),
        pages=pages(RECIPE.bench),
        receipt=lambda wildcards: receipts([wildcards.run]),
        model=ancient(lambda wildcards: model_files(wildcards.run)),
        verified=lambda wildcards: verified(wildcards.run),
    output:
        "<results>/{run}/bench/pages.jsonl",
    log:
        "<logs>/bench_read/{run}.log",
    benchmark:
        "<benchmarks>/bench_read/{run}.tsv"
    wildcard_constraints:
        run=some(MEASURED),
    conda:
        "../envs/serve.yaml"
    threads: RECIPE.serve.threads
    resources:
        mem_mb=lambda wildcards, attempt: RECIPE.serve.mem_mb * attempt,
        runtime=lambda wildcards, attempt: RECIPE.serve.minutes * attempt,
        gpu=RECIPE.serve.gpus,
    params:
        model=lambda wildcards: served(wildcards.run),
        adapter=lambda wildcards: adapter(wildcards.run),
        state=lambda wildcards: f"{RESULTS}/{wildcards.run}/bench/state",
    message:
        "Read the bench pages with {wildcards.run}"
    shell:
        "python {input.script:q} --pages {input.pages:q} --model {params.model:q}"
        " --adapter {params.adapter:q} --threads {threads} --state {params.state:q}"
        " --out {output:q} &> {log:q}"


rule bench_score:
    input:
        script=script("bench_score.py"),
        pages=pages(RECIPE.bench),
        outputs="<results>/{run}/bench/pages.jsonl",
        receipt="<results>/{run}/model.json",
        relatives=relative_scores,
    output:
        report(
            "<results>/{run}/bench.json",
            caption="../workflow/report/bench.rst",
            category="Scores",
            labels={"run": "{run}"},
        ),
    log:
        "<logs>/bench_score/{run}.log",
    benchmark:
        "<benchmarks>/bench_score/{run}.tsv"
    wildcard_constraints:
        run=some(MEASURED),
    conda:
        "../envs/bench.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        relatives=relatives,
        revision=SCORES_REVISION,
    message:
        "Score {wildcards.run}"
    shell:
        "python {input.script:q} --pages {input.pages:q} --outputs {input.outputs:q}"
        " --run {wildcards.run} --receipt {input.receipt:q} {params.relatives:q}"
        " --out {output:q} &> {log:q}"


rule external:
    input:
        script=script("external.py"),
    output:
        f"<results>/{EXTERNAL}/model.json",
    log:
        f"<logs>/external/{EXTERNAL}.log",
    benchmark:
        f"<benchmarks>/external/{EXTERNAL}.tsv"
    conda:
        "../envs/bench.yaml"
    threads: 1
    params:
        model=CHOICE.external,
        adapter=CHOICE.adapter,
        recipe=RECIPE.name,
    message:
        "Write down which model from elsewhere is used"
    shell:
        "python {input.script:q} --model {params.model:q} --adapter {params.adapter:q}"
        " --recipe {params.recipe:q} --receipt {output:q} &> {log:q}"
