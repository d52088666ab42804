rule fetch_bench:
    input:
        script=script("bench.py"),
    output:
        "<results>/candidates/bench.lock.json",
    log:
        "<logs>/fetch_bench/bench.log",
    benchmark:
        "<benchmarks>/fetch_bench/bench.tsv"
    conda:
        "../envs/data.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        repo=BENCH.repo,
        revision=BENCH.revision,
        folder=lambda wildcards: BENCH.folder,
    message:
        "Fetch the bench {params.repo} at {params.revision}"
    shell:
        "python {input.script:q} fetch {params.repo:q} --revision {params.revision:q}"
        " --out {params.folder:q} &> {log:q}"


# Faults are named in the list and do not stop the chain: what cannot be scored stops at the scoring.
rule lint_bench:
    input:
        script=script("bench.py"),
        bench=bench_files(),
    output:
        "<results>/candidates/lint.json",
    log:
        "<logs>/lint_bench/bench.log",
    benchmark:
        "<benchmarks>/lint_bench/bench.tsv"
    conda:
        "../envs/bench.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        folder=lambda wildcards: BENCH.folder,
    message:
        "Check the bench's tests"
    shell:
        "python {input.script:q} lint {params.folder:q} --json {output:q} &> {log:q} || [ $? -eq 2 ]"


# Pages that fail count as failed (exit code 3); `--forcerun convert_candidate` tries them again.
rule convert_candidate:
    input:
        script=script("bench.py"),
        specs=CONFIG.candidates or [],
        bench=bench_files(),
    output:
        touch("<results>/candidates/{candidate}.converted"),
    log:
        "<logs>/convert_candidate/{candidate}.log",
    benchmark:
        "<benchmarks>/convert_candidate/{candidate}.tsv"
    wildcard_constraints:
        candidate=some(CANDIDATES),
    conda:
        "../envs/serve.yaml"
    threads: RECIPE.serve.threads
    resources:
        mem_mb=lambda wildcards, attempt: RECIPE.serve.mem_mb * attempt,
        runtime=lambda wildcards, attempt: RECIPE.serve.minutes * attempt,
        gpu=lambda wildcards: candidate_gpus(wildcards.candidate),
    params:
        spec=lambda wildcards: CANDIDATES[wildcards.candidate],
        folder=lambda wildcards: BENCH.folder,
    message:
        "Read the bench's pages with {wildcards.candidate}"
    shell:
        "python {input.script:q} convert {params.folder:q} {input.specs:q}"
        " --only {wildcards.candidate} &> {log:q} || [ $? -eq 3 ]"


rule score_candidate:
    input:
        script=script("bench.py"),
        outputs="<results>/candidates/{candidate}.converted",
        lint="<results>/candidates/lint.json",
    output:
        "<results>/candidates/{candidate}.json",
    log:
        "<logs>/score_candidate/{candidate}.log",
    benchmark:
        "<benchmarks>/score_candidate/{candidate}.tsv"
    wildcard_constraints:
        candidate=some(CANDIDATES),
    conda:
        "../envs/bench.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        folder=lambda wildcards: BENCH.folder,
        revision=SCORES_REVISION,
    message:
        "Score {wildcards.candidate}"
    shell:
        "python {input.script:q} score {params.folder:q} --candidate {wildcards.candidate}"
        " --json {output:q} &> {log:q} || [ $? -eq 3 ]"


rule compare_candidates:
    input:
        script=script("bench.py"),
        scores=expand("<results>/candidates/{candidate}.json", candidate=CANDIDATES),
        bench=bench_files(),
    output:
        json="<results>/candidates/comparison.json",
        markdown="<results>/candidates/comparison.md",
    log:
        "<logs>/compare_candidates/comparison.log",
    benchmark:
        "<benchmarks>/compare_candidates/comparison.tsv"
    conda:
        "../envs/bench.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        folder=lambda wildcards: BENCH.folder,
    message:
        "Compare the candidates"
    shell:
        "python {input.script:q} compare {params.folder:q} {input.scores:q}"
        " --json {output.json:q} --markdown {output.markdown:q} &> {log:q}"


rule report_candidates:
    input:
        script=script("bench.py"),
        scores=expand("<results>/candidates/{candidate}.json", candidate=CANDIDATES),
        bench=bench_files(),
    output:
        directory("<results>/candidates/report"),
    log:
        "<logs>/report_candidates/report.log",
    benchmark:
        "<benchmarks>/report_candidates/report.tsv"
    conda:
        "../envs/bench.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        folder=lambda wildcards: BENCH.folder,
        candidates=lambda wildcards: [f"--candidate={name}" for name in CANDIDATES],
        revision=SCORES_REVISION,
    message:
        "Show every page beside what the candidates wrote"
    shell:
        "python {input.script:q} report {params.folder:q} {params.candidates:q}"
        " --out {output:q} &> {log:q}"


rule measure_candidates:
    input:
        measured_candidates,
