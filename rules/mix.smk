rule split_pages:
    input:
        script=script("split_pages.py"),
        shards=shards,
    output:
        directory("<results>/pages/{source}/{split}"),
    log:
        "<logs>/split_pages/{source}-{split}.log",
    benchmark:
        "<benchmarks>/split_pages/{source}-{split}.tsv"
    wildcard_constraints:
        source=some(SYNTH),
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    message:
        "Split the documents of {wildcards.source}, {wildcards.split} into pages"
    shell:
        "python {input.script:q} --shard {input.shards:q} --out {output:q} &> {log:q}"


rule fetch:
    input:
        script=script("fetch.py"),
    output:
        directory("<results>/fetch/{source}"),
    log:
        "<logs>/fetch/{source}.log",
    benchmark:
        "<benchmarks>/fetch/{source}.tsv"
    wildcard_constraints:
        source=some(HUB),
    conda:
        "../envs/data.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 720 * attempt,
    params:
        origin=lambda wildcards: f"hub:{origin(wildcards).hub}@{origin(wildcards).revision}",
    message:
        "Fetch {params.origin}"
    shell:
        "python {input.script:q} --source {params.origin} --out {output:q} &> {log:q}"


rule unpack:
    input:
        script=script("unpack.py"),
        fetched="<results>/fetch/{source}",
    output:
        directory("<results>/pages/{source}/{split}"),
    log:
        "<logs>/unpack/{source}-{split}.log",
    benchmark:
        "<benchmarks>/unpack/{source}-{split}.tsv"
    wildcard_constraints:
        source=some(HUB),
    conda:
        "../envs/data.yaml"
    threads: 4
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 720 * attempt,
    message:
        "Unpack {wildcards.source}, {wildcards.split} into pages"
    shell:
        "python {input.script:q} --fetched {input.fetched:q} --split {wildcards.split:q}"
        " --jobs {threads} --most-rejected 0.05 --out {output:q} &> {log:q}"


rule filter_pairs:
    input:
        script=script("filter_pairs.py"),
        pages=pages,
        measured=measured,
        deny=deny_list,
    output:
        directory("<results>/filtered/{source}/{split}"),
    log:
        "<logs>/filter_pairs/{source}-{split}.log",
    benchmark:
        "<benchmarks>/filter_pairs/{source}-{split}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 720 * attempt,
    params:
        filters=filter_flags,
        revision=FILTERS_REVISION,
    message:
        "Filter the pages of {wildcards.source}, {wildcards.split}"
    shell:
        "python {input.script:q} --pages {input.pages:q} {params.filters:q}"
        " --against {input.measured:q} --out {output:q} &> {log:q}"


rule pack:
    input:
        script=script("pack.py"),
        pages=to_learn,
    output:
        "<results>/rows/{source}/{split}.parquet",
    log:
        "<logs>/pack/{source}-{split}.log",
    benchmark:
        "<benchmarks>/pack/{source}-{split}.tsv"
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 720 * attempt,
    params:
        size=size(),
    message:
        "Render {wildcards.source}, {wildcards.split} to training rows"
    shell:
        "python {input.script:q} --pages {input.pages:q} {params.size} --out {output:q} &> {log:q}"
