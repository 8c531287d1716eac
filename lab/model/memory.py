"""The most memory that a run of a model holds, of this model alone."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from lab.model.load import Model


def peak(model: Model, run: Callable[[], object]) -> int:
    """Return the bytes of the weights and of what `run` allocates at its highest.

    Other models in the process do not count. On a CPU, where torch keeps no book, tensors are
    followed from each operation that makes them; what one operation holds inside is not seen.
    """
    weights = sum(_storages(model.module).values())
    if not model.device.startswith("cuda"):
        return weights + _followed(model.module, run)
    import torch

    torch.cuda.synchronize(model.device)
    torch.cuda.reset_peak_memory_stats(model.device)
    before = torch.cuda.memory_allocated(model.device)
    run()
    torch.cuda.synchronize(model.device)
    return weights + torch.cuda.max_memory_allocated(model.device) - before


def _storages(module: Any) -> dict[int, int]:
    """Return the size of each piece of memory that holds weights; tied ones share one."""
    tensors = [*module.parameters(), *module.buffers()]
    storages = [tensor.untyped_storage() for tensor in tensors]
    return {storage._cdata: storage.nbytes() for storage in storages}


def _followed(module: Any, run: Callable[[], object]) -> int:
    from torch import Tensor
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    class Book(TorchDispatchMode):  # type: ignore[no-untyped-call]
        """Sees every operation; a tensor's memory lives as long as its storage."""

        def __init__(self, known: set[int]) -> None:
            super().__init__()  # type: ignore[no-untyped-call]
            self.known, self.live, self.highest = known, 0, 0

        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            made = func(*args, **(kwargs or {}))
            for tensor in tree_leaves(made):
                if isinstance(tensor, Tensor):
                    self.add(tensor.untyped_storage())
            return made

        def add(self, storage: Any) -> None:
            key, size = storage._cdata, storage.nbytes()
            if key not in self.known:
                self.known.add(key)
                self.live += size
                self.highest = max(self.highest, self.live)
                weakref.finalize(storage, self.drop, key, size)

        def drop(self, key: int, size: int) -> None:
            self.known.discard(key)
            self.live -= size

    book = Book(set(_storages(module)))
    with book:
        run()
    return book.highest
