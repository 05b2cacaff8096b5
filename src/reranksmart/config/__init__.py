"""The whole configuration: what each key means, its unit, its default (the paper's) and what is allowed."""

from reranksmart.config.backbones import AnyBackbone as AnyBackbone
from reranksmart.config.backbones import Backbone as Backbone
from reranksmart.config.backbones import Pretraining as Pretraining
from reranksmart.config.backbones import Reading as Reading
from reranksmart.config.datasets import AnyDataset as AnyDataset
from reranksmart.config.datasets import Downloads as Downloads
from reranksmart.config.datasets import RegionFeatures as RegionFeatures
from reranksmart.config.experiments import AllowedLeak as AllowedLeak
from reranksmart.config.experiments import Comparison as Comparison
from reranksmart.config.experiments import Experiment as Experiment
from reranksmart.config.experiments import Fusion as Fusion
from reranksmart.config.experiments import Latency as Latency
from reranksmart.config.experiments import PlannedEvaluation as PlannedEvaluation
from reranksmart.config.experiments import Precisions as Precisions
from reranksmart.config.experiments import Shards as Shards
from reranksmart.config.experiments import System as System
from reranksmart.config.experiments import TestSet as TestSet
from reranksmart.config.pretrained import FAMILIES as FAMILIES
from reranksmart.config.pretrained import PretrainedBackbone as PretrainedBackbone
from reranksmart.config.pretrained import Tuning as Tuning
from reranksmart.config.schema import Config as Config
from reranksmart.config.training import Distillation as Distillation
from reranksmart.config.training import Objective as Objective
from reranksmart.config.training import TrainingSet as TrainingSet
from reranksmart.config.validation import validated as validated
from reranksmart.values.settings import ConfigError as ConfigError
