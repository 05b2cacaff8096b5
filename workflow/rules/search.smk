# An index to search by hand: a system's models with a test set's pictures, in one folder. No table needs it.


rule searchable:
    input:
        unpack(lambda wildcards: searchable.searchable_inputs(CONFIG, wildcards)),
    output:
        directory(
            "results/searchable/{backbone}/{training_set}/{system}/seed{seed}/{test_set}"
        ),
    log:
        "results/logs/searchable/{backbone}.{training_set}.{system}.seed{seed}.{test_set}.log",
    benchmark:
        "results/benchmarks/searchable/{backbone}.{training_set}.{system}.seed{seed}.{test_set}.tsv"
    conda:
        "../../envs/reranksmart.yaml"
    threads: 1
    resources:
        mem_mb=2500,
        runtime=60,
    params:
        inputs=names.given,
        gallery=lambda wildcards: names.gallery_name(
            CONFIG.test_sets[wildcards.test_set]
        ),
        settings=lambda wildcards: searchable.searchable_settings(CONFIG, wildcards),
        regions_kept=CONFIG.regions.maximum,
        factory=CONFIG.index,
        code=models.model_code(CONFIG, "gather"),
    shell:
        "reranksmart gather {params.inputs} --gallery {params.gallery} --max-regions {params.regions_kept}"
        " --factory {params.factory:q} --backbone-settings {params.settings[reading]:q}"
        " --reranker-max-tokens {params.settings[reranker_tokens]} --output {output}"
        " --threads {threads} {params.recipe} 2>&1 | tee {log}"
