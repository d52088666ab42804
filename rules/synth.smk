rule synth_shard:
    input:
        script=script("synth_shard.py"),
    output:
        directory("<results>/synth/{source}/{split}/{shard}"),
    log:
        "<logs>/synth_shard/{source}-{split}-{shard}.log",
    benchmark:
        "<benchmarks>/synth_shard/{source}-{split}-{shard}.tsv"
    wildcard_constraints:
        source=some(SYNTH),
    conda:
        "../envs/data.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1500 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        family=lambda wildcards: origin(wildcards).synth,
        seed=lambda wildcards: origin(wildcards).seed,
        pages=shard_pages,
        revision=PAGES_REVISION,
    message:
        "Generate {params.pages} pages: {wildcards.source}, {wildcards.split}, shard {wildcards.shard}"
    shell:
        "python {input.script:q} --family {params.family} --source {wildcards.source}"
        " --split {wildcards.split} --shard {wildcards.shard} --pages {params.pages}"
        " --seed {params.seed} --out {output:q} &> {log:q}"
