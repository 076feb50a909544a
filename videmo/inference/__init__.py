"""Networks as plain functions on arrays, whatever library runs them."""

from videmo.inference.base import Network
from videmo.inference.engine import Engine, choose_engine, computes_bfloat16

__all__ = ["Engine", "Network", "choose_engine", "computes_bfloat16"]
