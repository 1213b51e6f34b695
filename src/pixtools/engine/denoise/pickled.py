"""The pickles of PyTorch's checkpoints, read without ever running what they name.

A pickle is a program for a small machine. This is that machine without its hands: it
builds dictionaries, lists, tuples, numbers and texts, and knows what the few names mean
that stand around a tensor. Nothing is imported and nothing is called; every other name
ends the reading. (Format: `pickletools` of the standard library.)
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any, Final

from pixtools.domain.errors import WeightsUnusable

STORAGES: Final[Mapping[str, str]] = {
    "torch DoubleStorage": "f8",
    "torch FloatStorage": "f4",
    "torch HalfStorage": "f2",
    "torch BFloat16Storage": "bf16",
    "torch LongStorage": "i8",
    "torch IntStorage": "i4",
    "torch ShortStorage": "i2",
    "torch CharStorage": "i1",
    "torch ByteStorage": "u1",
    "torch BoolStorage": "b1",
}
"""What numbers of a tensor are, as NumPy writes it; `bf16` it does not know."""


class Broken(Exception):
    """No checkpoint of PyTorch, or a part of one."""


@dataclass(frozen=True, slots=True)
class Storage:
    """A row of `count` numbers that tensors are cut from."""

    key: str
    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where in a storage a tensor's numbers lie; steps are counted in numbers."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    steps: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Name:
    """Something that the pickle would import."""

    text: str


_MARK: Final = object()


def read(file: IO[bytes]) -> object:
    """Read one pickle, to its end and no further.

    Raises:
        Broken: This is no pickle, or one that says more than a checkpoint needs.
        WeightsUnusable: It names code.
    """
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(file):
            if opcode.name == "STOP":
                return machine.stack.pop()
            machine.step(opcode.name, argument)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise Broken(f"not a pickle that PyTorch writes ({error})") from None
    raise Broken("its end is missing")


class _Machine:
    """A stack, what was marked on it, and a memory."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memory: dict[int, Any] = {}

    def step(self, opcode: str, argument: Any) -> None:  # noqa: ANN401 - any value
        if opcode in _CONSTANTS:
            self.stack.append(_CONSTANTS[opcode]())
        elif opcode in _LITERALS:
            self.stack.append(argument)
        elif opcode in _STEPS:
            _STEPS[opcode](self, argument)
        elif opcode not in {"PROTO", "FRAME"}:
            raise Broken(f"it uses {opcode}, which weights don't need")

    def above_mark(self) -> list[Any]:
        """Take everything down to the last mark."""
        taken = []
        while (top := self.stack.pop()) is not _MARK:
            taken.append(top)
        return taken[::-1]

    def fill(self, items: list[Any]) -> None:
        """Put pairs of key and value into the dictionary that is on top."""
        target = self.stack[-1]
        if not isinstance(target, dict):
            raise Broken("it puts items into something that holds none")
        for key, value in zip(items[::2], items[1::2], strict=True):
            # Only these are hashed at once, however deep a hostile pickle nests.
            if not isinstance(key, str | int):
                raise Broken("it has a key that is neither text nor number")
            target[key] = value

    def extend(self, items: list[Any]) -> None:
        """Append to the list that is on top."""
        if not isinstance(self.stack[-1], list):
            raise Broken("it appends to something that is no list")
        self.stack[-1].extend(items)

    def name(self, text: str) -> None:
        """Note a name, if it is one of those that stand around tensors."""
        if text not in STORAGES and text not in _MEANINGS:
            raise WeightsUnusable(
                f"The file names {_dotted(text)}, which is code and not a weight: it "
                "is not run. Save weights alone, as torch.save(model.state_dict(), …) "
                "does."
            )
        self.stack.append(Name(text))

    def reduce(self) -> None:
        """Put what a name means, given its arguments, in the place of both."""
        arguments, called = self.stack.pop(), self.stack.pop()
        if not isinstance(called, Name) or not isinstance(arguments, tuple):
            raise Broken("it calls something that has no name")
        if called.text not in _MEANINGS:
            raise Broken(f"it calls {_dotted(called.text)}")
        self.stack.append(_MEANINGS[called.text](arguments))

    def stored(self) -> None:
        """Understand a reference to numbers outside the pickle."""
        match self.stack.pop():
            case ("storage", Name(kind), str(key), str(), int(count), *part) if (
                kind in STORAGES and count >= 0
            ):
                if part not in ([], [None]):
                    raise Broken("its weights lie within others, as before PyTorch 0.4")
                self.stack.append(Storage(key, STORAGES[kind], count))
            case _:
                raise Broken("it refers to something that is no storage")


def _dictionary(arguments: tuple[Any, ...]) -> dict[Any, Any]:
    """An OrderedDict: empty, or of a list of pairs."""
    made: dict[Any, Any] = {}
    for pair in arguments[0] if arguments else ():
        key, value = pair
        if not isinstance(key, str | int):
            raise Broken("it has a key that is neither text nor number")
        made[key] = value
    return made


def _tensor(arguments: tuple[Any, ...]) -> Tensor:
    storage, offset, shape, steps = arguments[:4]
    counts = (offset, *shape, *steps)
    if not isinstance(storage, Storage) or len(shape) != len(steps):
        raise Broken("it holds a tensor without numbers")
    if not all(type(count) is int and count >= 0 for count in counts):
        raise Broken("it holds a tensor of no size")
    return Tensor(storage, offset, tuple(shape), tuple(steps))


_MEANINGS: Final[Mapping[str, Callable[[tuple[Any, ...]], object]]] = {
    "collections OrderedDict": _dictionary,
    "torch._utils _rebuild_tensor": _tensor,
    "torch._utils _rebuild_tensor_v2": _tensor,
    "torch._utils _rebuild_parameter": lambda arguments: arguments[0],
}

_CONSTANTS: Final[Mapping[str, Callable[[], object]]] = {
    "MARK": lambda: _MARK,
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
}

_LITERALS: Final = frozenset({
    "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT",
    "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
})  # fmt: skip


def _tuple(machine: _Machine, count: int) -> None:
    items = [machine.stack.pop() for _ in range(count)]
    machine.stack.append(tuple(items[::-1]))


def _two_names(machine: _Machine) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    machine.name(f"{module} {name}")


_STEPS: Final[Mapping[str, Callable[[_Machine, Any], object]]] = {
    "GLOBAL": lambda machine, named: machine.name(named),
    "STACK_GLOBAL": lambda machine, _: _two_names(machine),
    "REDUCE": lambda machine, _: machine.reduce(),
    "BINPERSID": lambda machine, _: machine.stored(),
    # What an object would take as its attributes: PyTorch's version of each layer.
    "BUILD": lambda machine, _: machine.stack.pop(),
    "BINPUT": lambda machine, at: machine.memory.update({at: machine.stack[-1]}),
    "LONG_BINPUT": lambda machine, at: machine.memory.update({at: machine.stack[-1]}),
    "MEMOIZE": lambda machine, _: machine.memory.update(
        {len(machine.memory): machine.stack[-1]}
    ),
    "BINGET": lambda machine, at: machine.stack.append(machine.memory[at]),
    "LONG_BINGET": lambda machine, at: machine.stack.append(machine.memory[at]),
    "SETITEM": lambda machine, _: machine.fill(
        [machine.stack.pop(), machine.stack.pop()][::-1]
    ),
    "SETITEMS": lambda machine, _: machine.fill(machine.above_mark()),
    "APPEND": lambda machine, _: machine.extend([machine.stack.pop()]),
    "APPENDS": lambda machine, _: machine.extend(machine.above_mark()),
    "TUPLE": lambda machine, _: machine.stack.append(tuple(machine.above_mark())),
    "TUPLE1": lambda machine, _: _tuple(machine, 1),
    "TUPLE2": lambda machine, _: _tuple(machine, 2),
    "TUPLE3": lambda machine, _: _tuple(machine, 3),
}


def _dotted(text: str) -> str:
    return text.replace(" ", ".", 1)[:120]
