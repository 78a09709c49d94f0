"""Models of the rewards, by name or as any scikit-learn estimator: all cross-fitted by person."""

from simulator.models.choosing import LINEAR, MODELS, NONE, VW, RewardModel, check_model, model_rewards
from simulator.models.quality import quality

__all__ = ["LINEAR", "MODELS", "NONE", "VW", "RewardModel", "check_model", "model_rewards", "quality"]
