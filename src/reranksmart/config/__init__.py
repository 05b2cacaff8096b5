"""The whole configuration: what each key means, its unit, its default (the paper's) and what is allowed."""

from reranksmart.config.backbones import Backbone as Backbone
from reranksmart.config.backbones import Pretraining as Pretraining
from reranksmart.config.datasets import Dataset as Dataset
from reranksmart.config.datasets import Files as Files
from reranksmart.config.datasets import FileSplit as FileSplit
from reranksmart.config.datasets import RegionFeatures as RegionFeatures
from reranksmart.config.datasets import Scenes as Scenes
from reranksmart.config.experiments import Comparison as Comparison
from reranksmart.config.experiments import Experiment as Experiment
from reranksmart.config.experiments import Fusion as Fusion
from reranksmart.config.experiments import Latency as Latency
from reranksmart.config.experiments import System as System
from reranksmart.config.experiments import TestSet as TestSet
from reranksmart.config.schema import Config as Config
from reranksmart.config.training import Distillation as Distillation
from reranksmart.config.training import Objective as Objective
from reranksmart.config.training import TrainingSet as TrainingSet
from reranksmart.config.validation import validated as validated
from reranksmart.config.values import ConfigError as ConfigError
