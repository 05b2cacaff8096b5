# What models read of images: regions, detected in shards and merged, or of published files; pixels as a checkpoint
# wants them; and the states of a model's vision tower.


rule extract_regions:
    input:
        data="results/data/{dataset}/{split}",
    output:
        temp(directory("results/regions/{dataset}/{split}.shards/{shard}")),
    log:
        "results/logs/extract_regions/{dataset}.{split}.{shard}.log",
    benchmark:
        "results/benchmarks/extract_regions/{dataset}.{split}.{shard}.tsv"
    priority: lambda wildcards: data.split_priority(CONFIG, wildcards)
    conda:
        detection.detection_environment(CONFIG)
    threads: 1
    resources:
        **detection.detection_resources(CONFIG),
    params:
        command=lambda wildcards, resources: detection.detection_command(CONFIG),  # where programs lie
        settings=detection.detection_settings(CONFIG),
        code=detection.detection_code(CONFIG),
    shell:
        "{params.command} --data {input.data} --shard {wildcards.shard} --settings {params.settings:q}"
        " --output {output} --threads {threads} {params.recipe} 2>&1 | tee {log}"


rule merge_regions:
    input:
        data="results/data/{dataset}/{split}",
        shards=lambda wildcards: expand(
            "results/regions/{{dataset}}/{{split}}.shards/{shard}",
            shard=range(CONFIG.regions.shards),
        ),
    output:
        directory("results/regions/{dataset}/{split}"),
    log:
        "results/logs/merge_regions/{dataset}.{split}.log",
    benchmark:
        "results/benchmarks/merge_regions/{dataset}.{split}.tsv"
    wildcard_constraints:
        dataset=names.one_of(data.detected(CONFIG)),
    priority: lambda wildcards: data.split_priority(CONFIG, wildcards)
    conda:
        "../../envs/reranksmart.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        code=code_digest("merge-regions"),
    shell:
        "reranksmart merge-regions --data {input.data} --output {output} {input.shards} {params.recipe} 2>&1 | tee {log}"


rule import_regions:
    input:
        data="results/data/{dataset}/{split}",
        fetched=lambda wildcards: data.region_manifests(CONFIG, wildcards),
    output:
        directory("results/regions/{dataset}/{split}"),
    log:
        "results/logs/import_regions/{dataset}.{split}.log",
    benchmark:
        "results/benchmarks/import_regions/{dataset}.{split}.tsv"
    wildcard_constraints:
        dataset=names.one_of(data.imported(CONFIG)),
    priority: lambda wildcards: data.split_priority(CONFIG, wildcards)
    conda:
        "../../envs/reranksmart.yaml"
    resources:
        mem_mb=2000,
        runtime=720,
    params:
        settings=lambda wildcards: data.region_settings(CONFIG, wildcards),
        code=code_digest("import-regions"),
    shell:
        "reranksmart import-regions --data {input.data} --split {wildcards.split} --settings {params.settings:q}"
        " --output {output} {params.recipe} 2>&1 | tee {log}"


rule extract_pixels:
    input:
        data="results/data/{dataset}/{split}",
        backbone="results/checkpoints/{backbone}",
    output:
        directory("results/pixels/{backbone}/{dataset}/{split}"),
    log:
        "results/logs/extract_pixels/{backbone}.{dataset}.{split}.log",
    benchmark:
        "results/benchmarks/extract_pixels/{backbone}.{dataset}.{split}.tsv"
    wildcard_constraints:
        backbone=images.seeing(CONFIG, "pixels", "states"),
    priority: 85
    conda:
        "../../envs/reranksmart.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards: resources.memory_mb(
            CONFIG, "extract_pixels", wildcards
        ),
        runtime=1440,
    params:
        inputs=names.given,
        code=lambda wildcards: models.model_code(
            CONFIG, "extract-pixels", wildcards.backbone
        ),
    shell:
        "reranksmart extract-pixels {params.inputs} --output {output}"
        " --threads {threads} {params.recipe} 2>&1 | tee {log}"


rule store_states:
    input:
        model="results/models/{backbone}/{training_set}/{objective}/seed{seed}/model",
        pixels="results/pixels/{backbone}/{dataset}/{split}",
    output:
        directory(
            "results/states/{backbone}/{training_set}/{objective}/seed{seed}/{dataset}/{split}"
        ),
    log:
        "results/logs/store_states/{backbone}.{training_set}.{objective}.seed{seed}.{dataset}.{split}.log",
    benchmark:
        "results/benchmarks/store_states/{backbone}.{training_set}.{objective}.seed{seed}.{dataset}.{split}.tsv"
    wildcard_constraints:
        backbone=images.seeing(CONFIG, "states"),
    priority: 42
    conda:
        "../../envs/reranksmart.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards: resources.memory_mb(CONFIG, "store_states", wildcards),
        runtime=lambda wildcards: resources.runtime_minutes(
            CONFIG, "store_states", wildcards
        ),
        gpu=lambda wildcards: resources.gpus(CONFIG, "store_states", wildcards),
    params:
        inputs=names.given,
        precision=CONFIG.precision.encode,
        code=lambda wildcards: models.model_code(
            CONFIG, "store-states", wildcards.backbone
        ),
    shell:
        "reranksmart store-states {params.inputs} --precision {params.precision}"
        " --output {output} --threads {threads} {params.recipe} 2>&1 | tee {log}"
