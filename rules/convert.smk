rule plan_corpus:
    input:
        script=script("plan_corpus.py"),
        corpus=corpus_folder,
    output:
        "<results>/corpus/{corpus}/plan.parquet",
    log:
        "<logs>/plan_corpus/{corpus}.log",
    benchmark:
        "<benchmarks>/plan_corpus/{corpus}.tsv"
    wildcard_constraints:
        corpus=some([CHOICE.corpus] if CHOICE.corpus else []),
    conda:
        "../envs/data.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        documents=CHOICE.documents,
        shards=CONFIG.shards,
        filters=CONFIG.filters,
        state=corpus_state,
    message:
        "Plan the conversion of {params.documents}"
    shell:
        "python {input.script:q} --corpus {params.documents:q} --shards {params.shards}"
        " --out {output:q} --jobs {threads} --filter {params.filters:q} &> {log:q}"


rule convert_shard:
    input:
        script=script("convert_shard.py"),
        plan="<results>/corpus/{corpus}/plan.parquet",
        receipt=receipts([CHOICE.run]),
        model=ancient(model_files(CHOICE.run)),
    output:
        "<results>/corpus/{corpus}/shards/{shard}.json",
    log:
        "<logs>/convert_shard/{corpus}-{shard}.log",
    benchmark:
        "<benchmarks>/convert_shard/{corpus}-{shard}.tsv"
    conda:
        "../envs/serve.yaml"
    threads: RECIPE.serve.threads
    resources:
        mem_mb=lambda wildcards, attempt: RECIPE.serve.mem_mb * attempt,
        runtime=lambda wildcards, attempt: RECIPE.serve.minutes * attempt,
        gpu=RECIPE.serve.gpus,
    params:
        model=lambda wildcards: served(CHOICE.run),
        adapter=adapter(CHOICE.run),
        store=lambda wildcards: f"{RESULTS}/corpus/{wildcards.corpus}/store",
        in_flight=CONFIG.in_flight,
    message:
        "Convert shard {wildcards.shard} of {wildcards.corpus} with {params.model}"
    shell:
        "python {input.script:q} --plan {input.plan:q} --shard {wildcards.shard}"
        " --model {params.model:q} --adapter {params.adapter:q} --threads {threads}"
        " --store {params.store:q} --in-flight {params.in_flight} --out {output:q} &> {log:q}"


rule corpus_outputs:
    input:
        script=script("corpus_outputs.py"),
        plan="<results>/corpus/{corpus}/plan.parquet",
        shards=shard_receipts(),
    output:
        [directory(f"<results>/corpus/{{corpus}}/{name}") for name in OUTPUTS.formats],
        documents="<results>/corpus/{corpus}/documents.jsonl",
    log:
        "<logs>/corpus_outputs/{corpus}.log",
    benchmark:
        "<benchmarks>/corpus_outputs/{corpus}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        store=lambda wildcards: f"{RESULTS}/corpus/{wildcards.corpus}/store",
        folder=lambda wildcards: f"{RESULTS}/corpus/{wildcards.corpus}",
        receipts=lambda wildcards: f"{RESULTS}/corpus/{wildcards.corpus}/shards",
        shards=CONFIG.shards,
        options=OUTPUTS.model_dump_json(),
        revision=OUTPUTS_REVISION,
    message:
        "Write the text of {wildcards.corpus}"
    shell:
        "python {input.script:q} --plan {input.plan:q} --store {params.store:q}"
        " --receipts {params.receipts:q} --shards {params.shards} --options {params.options:q}"
        " --out {params.folder:q} &> {log:q}"


rule corpus_report:
    input:
        script=script("corpus_report.py"),
        plan="<results>/corpus/{corpus}/plan.parquet",
        shards=shard_receipts(),
    output:
        report="<results>/corpus/{corpus}/report.json",
        rows="<results>/corpus/{corpus}/report.jsonl",
    log:
        "<logs>/corpus_report/{corpus}.log",
    benchmark:
        "<benchmarks>/corpus_report/{corpus}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        store=lambda wildcards: f"{RESULTS}/corpus/{wildcards.corpus}/store",
        receipts=lambda wildcards: f"{RESULTS}/corpus/{wildcards.corpus}/shards",
        shards=CONFIG.shards,
        revision=REPORT_REVISION,
        filters=CONFIG.filters,
    message:
        "Say what became of every page of {wildcards.corpus}"
    shell:
        "python {input.script:q} --plan {input.plan:q} --store {params.store:q}"
        " --receipts {params.receipts:q} --shards {params.shards} --out {output.report:q}"
        " --filter {params.filters:q} &> {log:q}"


rule draw_corpus:
    input:
        script=script("corpus_viewer.py"),
        plan="<results>/corpus/{corpus}/plan.parquet",
        shards=shard_receipts(),
    output:
        directory("<results>/corpus/{corpus}/viewer"),
    log:
        "<logs>/draw_corpus/{corpus}.log",
    benchmark:
        "<benchmarks>/draw_corpus/{corpus}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        folder=lambda wildcards: f"{RESULTS}/corpus/{wildcards.corpus}",
    message:
        "Draw pages of {wildcards.corpus} beside their texts"
    shell:
        "python {input.script:q} --folder {params.folder:q} --jobs {threads}"
        " --out {output:q} &> {log:q}"


rule convert_corpus:
    input:
        corpus_files,
    message:
        "The corpus is converted"


rule corpus_viewer:
    input:
        corpus_viewer_folder,
    message:
        "The corpus can be looked at"
