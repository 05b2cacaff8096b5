from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")

if not workflow.overwrite_configfiles:

    configfile: "config.yaml"


from reranksmart import plan, run
from reranksmart.config import validated
from reranksmart.plan import contents, report_settings
from reranksmart.run import takeover

CONFIG = validated(config)

if workflow.is_main_process and not workflow.dryrun:
    takeover.take_over(Path.cwd())


onstart:
    run.note_plan(workflow.dag.jobs)


onerror:
    run.note_failures(workflow.scheduler.failed, log)


wildcard_constraints:
    dataset=plan.one_of(CONFIG.datasets),
    split="[a-z][a-z0-9_]*",
    shard="[0-9]+",
    gallery="[a-z0-9_.+]+",
    backbone=plan.one_of(CONFIG.backbones),
    training_set=plan.one_of(CONFIG.training_sets),
    objective=plan.one_of(CONFIG.objectives),
    retriever=plan.one_of(CONFIG.objectives),
    reranker=plan.rerankers(CONFIG),
    system=plan.one_of(CONFIG.systems),
    test_set=plan.one_of(CONFIG.test_sets),
    seed="[0-9]+",
    role="retriever|reranker",
    collection="eccv_caption|cxc",
    table="[a-z0-9_]+",
    figure="[a-z_]+",


include: "workflow/rules/downloads.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/retrieve.smk"
include: "workflow/rules/shards.smk"
include: "workflow/rules/search.smk"
include: "workflow/rules/measure.smk"
include: "workflow/rules/cost.smk"
include: "workflow/rules/report.smk"


localrules:
    all,


rule all:
    default_target: True
    input:
        "results/report.html",
        expand("results/tables/{table}.csv", table=contents.tables(CONFIG)),
        expand("results/figures/{figure}.svg", figure=contents.figures(CONFIG)),
        contents.measures_without_table(CONFIG),
