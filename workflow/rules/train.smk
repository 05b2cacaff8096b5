# Training: a converted checkpoint, or a pretrained backbone for each dataset; a model for each objective, training
# set and seed.

MODEL = "results/models/{backbone}/{training_set}/{objective}/seed{seed}/model"


rule pretrain:
    input:
        unpack(lambda wildcards: models.pretraining_inputs(CONFIG, wildcards)),
        audits=lambda wildcards: audit.audits_of(CONFIG, wildcards.dataset),
    output:
        directory("results/backbones/{backbone}/{dataset}"),
    log:
        "results/logs/pretrain/{backbone}.{dataset}.log",
    benchmark:
        "results/benchmarks/pretrain/{backbone}.{dataset}.tsv"
    priority: 94  # everything waits for it
    conda:
        "../../envs/reranksmart.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=120,
    params:
        settings=lambda wildcards: models.pretraining_settings(
            CONFIG, wildcards.backbone
        ),
        words=lambda wildcards, input: names.options("--words", input.words),
        code=lambda wildcards: models.model_code(CONFIG, "pretrain", wildcards.backbone),
    shell:
        "reranksmart pretrain --captions {input.data}/captions.jsonl --regions {input.regions}"
        " --relevance {input.relevance} {params.words} --settings {params.settings:q} --output {output}"
        " --threads {threads} {params.recipe} 2>&1 | tee {log}"


rule convert_backbone:
    output:
        directory("results/checkpoints/{backbone}"),
    log:
        "results/logs/convert_backbone/{backbone}.log",
    benchmark:
        "results/benchmarks/convert_backbone/{backbone}.tsv"
    priority: 80
    conda:
        "../../envs/reranksmart.yaml"
    resources:
        mem_mb=lambda wildcards: resources.memory_mb(
            CONFIG, "convert_backbone", wildcards
        ),
        runtime=30,
    params:
        settings=lambda wildcards: models.checkpoint_settings(
            CONFIG, wildcards.backbone
        ),
        code=lambda wildcards: models.model_code(
            CONFIG, "convert-backbone", wildcards.backbone
        ),
    shell:
        "reranksmart convert-backbone --settings {params.settings:q} --output {output} {params.recipe} 2>&1 | tee {log}"


rule adopt_backbone:
    input:
        backbone=lambda wildcards: models.backbone_folder(CONFIG, wildcards),
        audits="results/audits/{training_set}.json",
    output:
        directory(MODEL),
    log:
        "results/logs/adopt_backbone/{backbone}.{training_set}.{objective}.seed{seed}.log",
    benchmark:
        "results/benchmarks/adopt_backbone/{backbone}.{training_set}.{objective}.seed{seed}.tsv"
    wildcard_constraints:
        objective=models.taken_as_they_are(CONFIG),
    conda:
        "../../envs/reranksmart.yaml"
    resources:
        mem_mb=lambda wildcards: resources.memory_mb(
            CONFIG, "adopt_backbone", wildcards
        ),
        runtime=30,
    params:
        settings=lambda wildcards: names.reading_settings(CONFIG, wildcards.backbone),
        code=lambda wildcards: models.model_code(
            CONFIG, "adopt-backbone", wildcards.backbone
        ),
    shell:
        "reranksmart adopt-backbone --backbone {input.backbone} --backbone-settings {params.settings:q}"
        " --seed {wildcards.seed} --output {output} {params.recipe} 2>&1 | tee {log}"


TRAININGS = arrays.Array(CONFIG, "train")


rule train:
    input:
        unpack(lambda wildcards: models.train_inputs(CONFIG, wildcards)),
        audits=lambda wildcards: audit.audits_before(CONFIG, wildcards),
    output:
        directory(MODEL),
    log:
        "results/logs/train/{backbone}.{training_set}.{objective}.seed{seed}.log",
    benchmark:
        "results/benchmarks/train/{backbone}.{training_set}.{objective}.seed{seed}.tsv"
    wildcard_constraints:
        objective=models.trained(CONFIG),
    priority: lambda wildcards: models.training_priority(CONFIG, wildcards)
    retries: 2
    conda:
        "../../envs/reranksmart.yaml"
    threads: CONFIG.processes
    resources:
        mem_mb=TRAININGS.memory_mb,
        runtime=TRAININGS.runtime_minutes,
        gpu=TRAININGS.gpus,
    params:
        command=models.train_command(CONFIG),
        objective=lambda wildcards: models.objective_settings(
            CONFIG, wildcards.objective
        ),
        # With what changes no model. Snakemake compares no parameter that takes `resources`.
        settings=lambda wildcards, resources: names.settings(
            CONFIG.objectives[wildcards.objective]
        ),
        backbone_settings=lambda wildcards: names.reading_settings(
            CONFIG, wildcards.backbone
        ),
        tuning=lambda wildcards: models.tuning_option(CONFIG, wildcards.backbone),
        miner=lambda wildcards: names.options(
            "--miner", models.miner_of(CONFIG, wildcards).values()
        ),
        fraction=lambda wildcards: CONFIG.training_sets[wildcards.training_set].fraction,
        code=lambda wildcards: models.model_code(CONFIG, "train", wildcards.backbone),
    shell:
        "{params.command} train --backbone {input.backbone} --captions {input.data}/captions.jsonl --images {input.images}"
        " --relevance {input.relevance} --dev-captions {input.dev_data}/captions.jsonl --dev-images {input.dev_images}"
        " --dev-relevance {input.dev_relevance} --settings {params.settings:q}"
        " --backbone-settings {params.backbone_settings:q} {params.tuning} {params.miner} --fraction {params.fraction} --seed {wildcards.seed}"
        " --output {output} --threads 1 {params.recipe} 2>&1 | tee {log}"
