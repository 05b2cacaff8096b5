# Measurement: every system on every test set, twins, extended relevance, paired tests.


rule evaluate:
    input:
        unpack(lambda wildcards: measures.measure_inputs(CONFIG, wildcards)),
        audits=lambda wildcards: audit.audits_before(CONFIG, wildcards),
    output:
        directory(
            "results/measures/{backbone}/{training_set}/{system}/seed{seed}/{test_set}"
        ),
    log:
        "results/logs/evaluate/{backbone}.{training_set}.{system}.seed{seed}.{test_set}.log",
    benchmark:
        "results/benchmarks/evaluate/{backbone}.{training_set}.{system}.seed{seed}.{test_set}.tsv"
    priority: 50
    conda:
        "../../envs/reranksmart.yaml"
    resources:
        mem_mb=lambda wildcards: resources.memory_mb(CONFIG, "evaluate", wildcards),
        runtime=120,
    params:
        options=lambda wildcards: measures.measure_options(CONFIG, wildcards),
        code=code_digest("evaluate"),
    shell:
        "reranksmart evaluate {params.options} --output {output} {params.recipe} 2>&1 | tee {log}"


rule evaluate_absence:
    input:
        unpack(lambda wildcards: absence.absence_inputs(CONFIG, wildcards)),
        audits=lambda wildcards: audit.audits_before(CONFIG, wildcards),
    output:
        directory(
            "results/absence/{backbone}/{training_set}/{system}/seed{seed}/{test_set}"
        ),
    log:
        "results/logs/evaluate_absence/{backbone}.{training_set}.{system}.seed{seed}.{test_set}.log",
    benchmark:
        "results/benchmarks/evaluate_absence/{backbone}.{training_set}.{system}.seed{seed}.{test_set}.tsv"
    priority: 30
    conda:
        "../../envs/reranksmart.yaml"
    resources:
        mem_mb=lambda wildcards: resources.memory_mb(CONFIG, "evaluate", wildcards),
        runtime=60,
    params:
        options=lambda wildcards: absence.absence_options(CONFIG, wildcards),
        code=code_digest("evaluate-absence"),
    shell:
        "reranksmart evaluate-absence {params.options} --output {output} {params.recipe} 2>&1 | tee {log}"


rule judge_negatives:
    input:
        unpack(lambda wildcards: models.judged_inputs(CONFIG, wildcards)),
    output:
        directory(
            "results/judged_negatives/{backbone}/{training_set}/{objective}/seed{seed}"
        ),
    log:
        "results/logs/judge_negatives/{backbone}.{training_set}.{objective}.seed{seed}.log",
    benchmark:
        "results/benchmarks/judge_negatives/{backbone}.{training_set}.{objective}.seed{seed}.tsv"
    priority: 20
    conda:
        "../../envs/reranksmart.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        inputs=names.given,
        settings=lambda wildcards: names.reading_settings(CONFIG, wildcards.backbone),
        depth=CONFIG.depth,
        code=lambda wildcards: models.model_code(
            CONFIG, "judge-negatives", wildcards.backbone
        ),
    shell:
        "reranksmart judge-negatives {params.inputs} --backbone-settings {params.settings:q} --depth {params.depth}"
        " --seed {wildcards.seed} --output {output} --threads {threads} {params.recipe} 2>&1 | tee {log}"


rule evaluate_twins:
    input:
        unpack(lambda wildcards: measures.twin_inputs(CONFIG, wildcards)),
        audits=lambda wildcards: audit.audits_before(CONFIG, wildcards),
    output:
        directory(
            "results/twins/{backbone}/{training_set}/{system}/seed{seed}/{test_set}"
        ),
    log:
        "results/logs/evaluate_twins/{backbone}.{training_set}.{system}.seed{seed}.{test_set}.log",
    benchmark:
        "results/benchmarks/evaluate_twins/{backbone}.{training_set}.{system}.seed{seed}.{test_set}.tsv"
    priority: 25
    conda:
        "../../envs/reranksmart.yaml"
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        inputs=names.given,
        experiment=lambda wildcards: measures.experiment_keys(wildcards),
        resamples=CONFIG.bootstrap,
        code=code_digest("evaluate-twins"),
    shell:
        "reranksmart evaluate-twins {params.inputs} --experiment {params.experiment:q}"
        " --resamples {params.resamples} --output {output} {params.recipe} 2>&1 | tee {log}"


rule judge_extended:
    input:
        unpack(lambda wildcards: extended.extended_relevance_inputs(CONFIG, wildcards)),
    output:
        directory("results/extended_relevance/{collection}/{gallery}"),
    log:
        "results/logs/judge_extended/{collection}.{gallery}.log",
    benchmark:
        "results/benchmarks/judge_extended/{collection}.{gallery}.tsv"
    priority: 30
    conda:
        "../../envs/reranksmart.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        settings=lambda wildcards: extended.extended_relevance_settings(
            CONFIG, wildcards
        ),
        code=code_digest("judge-extended"),
    shell:
        "reranksmart judge-extended --data {input.data} --settings {params.settings:q}"
        " --collection {wildcards.collection} --output {output} {params.recipe} 2>&1 | tee {log}"


rule evaluate_extended:
    input:
        unpack(lambda wildcards: extended.extended_measure_inputs(CONFIG, wildcards)),
        audits=lambda wildcards: audit.audits_before(CONFIG, wildcards),
    output:
        directory(
            "results/extended_measures/{collection}/{backbone}/{training_set}/{system}/seed{seed}/{test_set}"
        ),
    log:
        "results/logs/evaluate_extended/{collection}.{backbone}.{training_set}.{system}.seed{seed}.{test_set}.log",
    benchmark:
        "results/benchmarks/evaluate_extended/{collection}.{backbone}.{training_set}.{system}.seed{seed}.{test_set}.tsv"
    priority: 30
    conda:
        "../../envs/reranksmart.yaml"
    resources:
        mem_mb=lambda wildcards: resources.memory_mb(CONFIG, "evaluate", wildcards),
        runtime=60,
    params:
        options=lambda wildcards: extended.extended_measure_options(CONFIG, wildcards),
        code=code_digest("evaluate-extended"),
    shell:
        "reranksmart evaluate-extended {params.options} --output {output} {params.recipe} 2>&1 | tee {log}"


rule compare:
    input:
        experiments.compared(CONFIG),
    output:
        "results/comparisons.csv",
    log:
        "results/logs/compare.log",
    benchmark:
        "results/benchmarks/compare.tsv"
    priority: 50
    conda:
        "../../envs/reranksmart.yaml"
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        folder="results/measures",
        comparisons=experiments.comparison_settings(CONFIG),
        seeds=",".join(map(str, CONFIG.seeds)),
        depth=CONFIG.depth,
        permutations=CONFIG.permutations,
        resamples=CONFIG.bootstrap,
        code=code_digest("compare"),
    shell:
        "reranksmart compare --measures {params.folder} --comparisons {params.comparisons:q} --seeds {params.seeds}"
        " --depth {params.depth} --permutations {params.permutations} --resamples {params.resamples}"
        " --output {output} {params.recipe} 2>&1 | tee {log}"
