rule stage:
    output:
        "<results>/{run}/stage.yaml",
    log:
        "<logs>/stage/{run}.log",
    benchmark:
        "<benchmarks>/stage/{run}.tsv"
    wildcard_constraints:
        run=some(PLAN),
    conda:
        "../envs/train.yaml"
    threads: 1
    params:
        stage=lambda wildcards: run_text(PLAN[wildcards.run]),
    message:
        "Resolve stage {wildcards.run}"
    shell:
        "printf '%s' {params.stage:q} > {output:q} 2> {log:q}"


rule init:
    input:
        script=script("init.py"),
        stage="<results>/{run}/stage.yaml",
    output:
        receipt="<results>/{run}/model.json",
        model=directory("<results>/{run}/model"),
    log:
        "<logs>/init/{run}.log",
    benchmark:
        "<benchmarks>/init/{run}.tsv"
    wildcard_constraints:
        run=runs("init"),
    conda:
        "../envs/train.yaml"
    threads: lambda wildcards: need(wildcards).threads
    resources:
        mem_mb=lambda wildcards, attempt: need(wildcards).mem_mb * attempt,
        runtime=lambda wildcards, attempt: need(wildcards).minutes * attempt,
    message:
        "Make the fresh model {wildcards.run}"
    shell:
        "python {input.script:q} {input.stage:q} --model {output.model:q}"
        " --receipt {output.receipt:q} &> {log:q}"


# The three ways to train have one body. Checkpoints lie in state/, undeclared: Snakemake
# deletes declared outputs before a retry, and a training goes on from its checkpoints.
rule pretrain:
    input:
        launch=script("launch.py"),
        script=lambda wildcards: script(f"{PLAN[wildcards.run].method}.py"),
        stage="<results>/{run}/stage.yaml",
        receipt=lambda wildcards: receipts(PLAN[wildcards.run].parents),
        parent=ancient(lambda wildcards: model(PLAN[wildcards.run].parents[0])),
        rows=lambda wildcards: rows(PLAN[wildcards.run].data),
        eval_rows=lambda wildcards: rows(PLAN[wildcards.run].eval_data),
    output:
        receipt="<results>/{run}/model.json",
        model=directory("<results>/{run}/model"),
        metrics="<results>/{run}/metrics.jsonl",
    log:
        "<logs>/pretrain/{run}.log",
    benchmark:
        "<benchmarks>/pretrain/{run}.tsv"
    wildcard_constraints:
        run=runs("pretrain"),
    priority: 10  # the chain waits for it; benches fill the gaps
    conda:
        "../envs/train.yaml"
    threads: lambda wildcards: need(wildcards).threads
    resources:
        mem_mb=lambda wildcards, attempt: need(wildcards).mem_mb * attempt,
        runtime=lambda wildcards, attempt: need(wildcards).minutes * attempt,
        gpu=lambda wildcards: need(wildcards).gpus,
        nodes=lambda wildcards: need(wildcards).nodes,
        vllm_gpus=lambda wildcards: need(wildcards).vllm_gpus,
        accelerate=lambda wildcards: need(wildcards).accelerate,
    params:
        state=lambda wildcards: f"{RESULTS}/{wildcards.run}/state",
    message:
        "Pretrain {wildcards.run}"
    shell:
        "python {input.launch:q} --gpus {resources.gpu} --nodes {resources.nodes}"
        " --vllm-gpus {resources.vllm_gpus} --accelerate {resources.accelerate} --"
        " {input.script:q} {input.stage:q} --parent {input.parent:q} --rows {input.rows:q}"
        " --eval-rows {input.eval_rows:q} --state {params.state:q} --model {output.model:q}"
        " --metrics {output.metrics:q} --receipt {output.receipt:q} &> {log:q}"


use rule pretrain as sft with:
    log:
        "<logs>/sft/{run}.log",
    benchmark:
        "<benchmarks>/sft/{run}.tsv"
    wildcard_constraints:
        run=runs("sft"),
    message:
        "Fine-tune {wildcards.run}"


use rule pretrain as grpo with:
    log:
        "<logs>/grpo/{run}.log",
    benchmark:
        "<benchmarks>/grpo/{run}.tsv"
    wildcard_constraints:
        run=runs("grpo"),
    conda:
        "../envs/grpo.yaml"
    message:
        "Reinforce {wildcards.run}"


use rule pretrain as dpo with:
    log:
        "<logs>/dpo/{run}.log",
    benchmark:
        "<benchmarks>/dpo/{run}.tsv"
    wildcard_constraints:
        run=runs("dpo"),
    conda:
        "../envs/grpo.yaml"
    message:
        "Teach {wildcards.run} which of two answers is better"


# The three ways to make rows of a model's own answers have one body, as the ways to train have.
rule filter:
    input:
        script=script("sample.py"),
        stage="<results>/{run}/stage.yaml",
        receipt=lambda wildcards: receipts(PLAN[wildcards.run].parents),
        parent=ancient(lambda wildcards: model(PLAN[wildcards.run].parents[0])),
        rows=lambda wildcards: rows(PLAN[wildcards.run].data),
    output:
        rows="<results>/{run}/rows.parquet",
        receipt="<results>/{run}/rows.json",
    log:
        "<logs>/filter/{run}.log",
    benchmark:
        "<benchmarks>/filter/{run}.tsv"
    wildcard_constraints:
        run=runs("filter"),
    priority: 10  # the chain waits for it; benches fill the gaps
    conda:
        "../envs/serve.yaml"
    threads: lambda wildcards: need(wildcards).threads
    resources:
        mem_mb=lambda wildcards, attempt: need(wildcards).mem_mb * attempt,
        runtime=lambda wildcards, attempt: need(wildcards).minutes * attempt,
        gpu=lambda wildcards: need(wildcards).gpus,
    params:
        state=lambda wildcards: f"{RESULTS}/{wildcards.run}/state",
    message:
        "Keep the pages that {wildcards.run} can still teach"
    shell:
        "python {input.script:q} {input.stage:q} --parent {input.parent:q} --rows {input.rows:q}"
        " --state {params.state:q} --threads {threads} --out {output.rows:q}"
        " --receipt {output.receipt:q} &> {log:q}"


use rule filter as rejection with:
    log:
        "<logs>/rejection/{run}.log",
    benchmark:
        "<benchmarks>/rejection/{run}.tsv"
    wildcard_constraints:
        run=runs("rejection"),
    message:
        "Keep the best of several answers in {wildcards.run}"


use rule filter as pairs with:
    log:
        "<logs>/pairs/{run}.log",
    benchmark:
        "<benchmarks>/pairs/{run}.tsv"
    wildcard_constraints:
        run=runs("pairs"),
    message:
        "Pair the best with the worst answers in {wildcards.run}"
