rule fetch_model:
    input:
        script=script("fetch_model.py"),
    output:
        directory("<results>/hub/{name}"),
    log:
        "<logs>/fetch_model/{name}.log",
    benchmark:
        "<benchmarks>/fetch_model/{name}.tsv"
    wildcard_constraints:
        name="[^/]+",
    conda:
        "../envs/train.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        origin=lambda wildcards: hub_model(wildcards.name),
    message:
        "Fetch {params.origin}"
    shell:
        "python {input.script:q} --source {params.origin:q} --out {output:q} &> {log:q}"


rule merge:
    input:
        script=script("merge.py"),
        stage="<results>/{run}/stage.yaml",
        receipt=lambda wildcards: receipts(PLAN[wildcards.run].parents),
        parent=ancient(lambda wildcards: model(PLAN[wildcards.run].parents[0])),
        base=ancient(
            lambda wildcards: model(
                lineage.base_of(PLAN, PLAN[wildcards.run].parents[0])
            )
        ),
    output:
        receipt="<results>/{run}/model.json",
        model=directory("<results>/{run}/model"),
    log:
        "<logs>/merge/{run}.log",
    benchmark:
        "<benchmarks>/merge/{run}.tsv"
    wildcard_constraints:
        run=runs("merge"),
    priority: 10  # the chain waits for it; benches fill the gaps
    conda:
        "../envs/train.yaml"
    threads: lambda wildcards: need(wildcards).threads
    resources:
        mem_mb=lambda wildcards, attempt: need(wildcards).mem_mb * attempt,
        runtime=lambda wildcards, attempt: need(wildcards).minutes * attempt,
    message:
        "Merge the adapter of {wildcards.run} into its base"
    shell:
        "python {input.script:q} {input.stage:q} --parent {input.parent:q} --base {input.base:q}"
        " --model {output.model:q} --receipt {output.receipt:q} &> {log:q}"


rule soup:
    input:
        script=script("soup.py"),
        stage="<results>/{run}/stage.yaml",
        receipts=lambda wildcards: receipts(PLAN[wildcards.run].parents),
        parents=ancient(
            lambda wildcards: [model(each) for each in PLAN[wildcards.run].parents]
        ),
        pages=lambda wildcards: [pages(each) for each in PLAN[wildcards.run].eval_data],
    output:
        receipt="<results>/{run}/model.json",
        model=directory("<results>/{run}/model"),
    log:
        "<logs>/soup/{run}.log",
    benchmark:
        "<benchmarks>/soup/{run}.tsv"
    wildcard_constraints:
        run=some(
            name
            for name, run in PLAN.items()
            if run.method == "soup" and not run.greedy
        ),
    priority: 10  # the chain waits for it; benches fill the gaps
    conda:
        "../envs/train.yaml"
    threads: lambda wildcards: need(wildcards).threads
    resources:
        mem_mb=lambda wildcards, attempt: need(wildcards).mem_mb * attempt,
        runtime=lambda wildcards, attempt: need(wildcards).minutes * attempt,
        gpu=lambda wildcards: need(wildcards).gpus,
    params:
        chosen=chosen,
    message:
        "Average {wildcards.run}"
    shell:
        "python {input.script:q} {input.stage:q} --parent {input.parents:q} {params.chosen:q}"
        " --model {output.model:q} --receipt {output.receipt:q} &> {log:q}"


# A greedy soup serves the ingredients and what it tries, and reads pages with them.
use rule soup as greedy_soup with:
    log:
        "<logs>/greedy_soup/{run}.log",
    benchmark:
        "<benchmarks>/greedy_soup/{run}.tsv"
    wildcard_constraints:
        run=some(name for name, run in PLAN.items() if run.greedy),
    conda:
        "../envs/serve.yaml"
    message:
        "Choose and average {wildcards.run}"


rule quantize:
    input:
        script=script("quantize.py"),
        stage="<results>/{run}/stage.yaml",
        receipt=lambda wildcards: receipts(PLAN[wildcards.run].parents),
        parent=ancient(lambda wildcards: model(PLAN[wildcards.run].parents[0])),
        pages=lambda wildcards: calibration_pages(wildcards.run),
    output:
        receipt="<results>/{run}/model.json",
        model=directory("<results>/{run}/model"),
    log:
        "<logs>/quantize/{run}.log",
    benchmark:
        "<benchmarks>/quantize/{run}.tsv"
    wildcard_constraints:
        run=some(quantised(own=True)),
    priority: 10  # the chain waits for it; benches fill the gaps
    conda:
        "../envs/quantize.yaml"
    threads: lambda wildcards: need(wildcards).threads
    resources:
        mem_mb=lambda wildcards, attempt: need(wildcards).mem_mb * attempt,
        runtime=lambda wildcards, attempt: need(wildcards).minutes * attempt,
        gpu=lambda wildcards: need(wildcards).gpus,
    params:
        pages=lambda wildcards: [
            word
            for path in calibration_pages(wildcards.run)
            for word in ("--pages", path)
        ],
    message:
        "Quantise {wildcards.run}"
    shell:
        "python {input.script:q} {input.stage:q} --parent {input.parent:q}"
        " {params.pages:q} --model {output.model:q} --receipt {output.receipt:q} &> {log:q}"


# Schemes of llm-compressor, which pins other versions than ours and so has an environment of its own.
use rule quantize as compress with:
    log:
        "<logs>/compress/{run}.log",
    benchmark:
        "<benchmarks>/compress/{run}.tsv"
    wildcard_constraints:
        run=some(quantised(own=False)),
    conda:
        "../envs/compress.yaml"
    message:
        "Quantise {wildcards.run} by llm-compressor"


# Trained and put together, a model is compared with what transformers makes of it before it is measured.
rule verify:
    input:
        script=script("verify_model.py"),
        pages=pages(RECIPE.bench),
        receipt="<results>/{run}/model.json",
        model=ancient("<results>/{run}/model"),
    output:
        "<results>/{run}/verify.json",
    log:
        "<logs>/verify/{run}.log",
    benchmark:
        "<benchmarks>/verify/{run}.tsv"
    wildcard_constraints:
        run=some(VERIFIED),
    priority: 10
    conda:
        "../envs/serve.yaml"
    threads: RECIPE.serve.threads
    resources:
        mem_mb=lambda wildcards, attempt: RECIPE.serve.mem_mb * attempt,
        runtime=lambda wildcards, attempt: RECIPE.serve.minutes * attempt,
        gpu=RECIPE.serve.gpus,
    params:
        adapter=lambda wildcards: adapter(wildcards.run),
        server_log=lambda wildcards: f"{RESULTS}/logs/verify/{wildcards.run}.server.log",
    message:
        "Compare the served {wildcards.run} with transformers"
    shell:
        "python {input.script:q} --model {input.model:q} --adapter {params.adapter:q}"
        " --pages {input.pages:q} --threads {threads} --log {params.server_log:q}"
        " --out {output:q} &> {log:q}"
