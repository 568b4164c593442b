"""A fused model in Ollama, with the persona as its system prompt and the chat template it was trained with.

Import this after `blas.preload()`.
"""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import ModelError
from pipeline.servers.ollama_server import OllamaServer
from pipeline.servers.transport import Keys, ServerError
from pipeline.settings import Settings
from pipeline.training.exporting.disk import bytes_of_export
from pipeline.training.exporting.export import Bits, Export, Trial
from pipeline.training.exporting.fused import fuse, write_fused
from pipeline.training.exporting.gguf import WITHOUT_GGUF, reason_against_gguf, write_gguf
from pipeline.training.exporting.source import ExportSource
from pipeline.training.exporting.template import find_pieces, render_with
from pipeline.weights.chat_template import ChatTemplate
from pipeline.weights.control_tokens import broken_up, either

MODELFILE, GGUF, FOLDER = "Modelfile", "model.gguf", "model"
CONTEXT_TOKENS = 8192
"""Of prompt and answer together, if the model bears as many: the passages of a question need half of it."""
QUANTISED: dict[Bits, str] = {4: "q4_K_M", 8: "q8_0"}
NO_TEMPLATE = "{{ .Prompt }}"
"""What Ollama makes do with when it knows no template of a model."""
TIMEOUT_SECONDS = 3600
"""For converting and quantising a model of many gigabytes."""
KEYS = Keys(
    url="OLLAMA_HOST",
    model="models.chat",
    api_key="OLLAMA_API_KEY",
    when_slow="make the model smaller with --quantize 4",
)
QUESTION = "Who are you?"


class Ollama(Export):
    heeds = frozenset({"bits", "name", "question", "is_created", "is_replaced"})

    @property
    def name(self) -> str:
        """Of the model there."""
        return self.wishes.name or self.source.name

    def check(self) -> None:
        if self.wishes.is_created:
            check_name(self.name, self.wishes.is_replaced)

    def size(self) -> int:
        copies = 2 if self.wishes.is_created else 1
        return bytes_of_export(self.source.base, self.source.config, bits=None, is_expanded=True, copies=copies)

    def write(self, folder: Path) -> list[str]:
        described = describe(self.source, self.settings)
        write_ollama(self.source, described, folder)
        return create(self.name, described, folder, self.wishes.bits) if self.wishes.is_created else []

    def next_step(self) -> str:
        if self.wishes.is_created:
            return f'`ollama run {self.name}`, or `[models] chat = "ollama:{self.name}"`'
        smaller = f"--quantize {QUANTISED[self.wishes.bits]} " if self.wishes.bits else ""
        return f"`ollama create {self.name} {smaller}-f {self.wishes.folder / MODELFILE}`"

    def trial(self) -> Trial | None:
        if not self.wishes.is_created:
            return None
        question = self.wishes.question or next(iter(self.settings.site.questions), QUESTION)
        try:
            return Trial(self.name, question, ask(self.name, question))
        except ModelError as error:
            raise ModelError(
                f"{self.wishes.folder} and the model {self.name} in Ollama are made, but it gave no answer: {error}"
            ) from None


@dataclass(frozen=True)
class OllamaModel:
    """What Ollama is told of a model."""

    template: str | None
    """None: Ollama is to find it."""
    system: str
    parameters: dict[str, Any]

    def modelfile(self, weights: str) -> str:
        """The Modelfile's text; `weights` is the name of the file beside it."""
        lines = [f"FROM ./{weights}"]
        lines += [f"TEMPLATE {_quoted(self.template)}"] if self.template is not None else []
        lines += [f"SYSTEM {_quoted(self.system)}"] if self.system else []
        for key, value in self.parameters.items():
            lines += [f"PARAMETER {key} {_in_line(one)}" for one in (value if isinstance(value, list) else [value])]
        return "\n".join(lines) + "\n"


def describe(source: ExportSource, settings: Settings) -> OllamaModel:
    """Persona, template and parameters, such that Ollama answers as the engine does."""
    pieces = find_pieces(render_with(source.tokenizer))
    longest = source.config.get("max_position_embeddings") or CONTEXT_TOKENS
    parameters: dict[str, Any] = {
        "num_ctx": min(CONTEXT_TOKENS, longest),
        "num_predict": settings.chat.max_tokens,
        "temperature": settings.chat.temperature,
        "repeat_penalty": 1.0,
        "stop": sorted(map(str, source.tokenizer.convert_ids_to_tokens(sorted(source.tokenizer.eos_token_ids)))),
    }
    if settings.engine.threads:
        parameters["num_thread"] = settings.engine.threads
    # Ollama takes a control token for one wherever it stands.
    persona = broken_up(source.persona, either(ChatTemplate(source.tokenizer).control_tokens))
    return OllamaModel(pieces.as_go() if pieces else None, persona, parameters)


def write_ollama(source: ExportSource, model: OllamaModel, folder: Path) -> None:
    """Writes the fused weights into `folder`, and the Modelfile that `ollama create NAME -f Modelfile` takes."""
    fused, config = fuse(source, dequantise=True)
    if reason_against_gguf(source, config):
        # Ollama's converter reads more architectures, though it takes SmolLM2's way to cut words for another.
        weights = FOLDER
        (folder / FOLDER).mkdir()
        write_fused(source, folder / FOLDER, dequantise=True)
    else:
        weights = GGUF
        write_gguf(source, fused, config, folder / GGUF)
    (folder / MODELFILE).write_text(model.modelfile(weights), encoding="utf-8")


def check_name(name: str, is_replaced: bool) -> None:
    """
    Raises:
        ModelError: no Ollama answers, or it has a model of that name which is not to be replaced.
    """
    with closing(OllamaServer(KEYS)) as server:
        known = {model.model for model in server.models()}
        if not is_replaced and (name if ":" in name else f"{name}:latest") in known:
            raise ModelError(
                f"Ollama at {server.address} has a model {name} already: replace it with --force, or give another --name"
            )


def create(name: str, model: OllamaModel, folder: Path, bits: Bits | None = None) -> list[str]:
    """What `ollama create` does with the Modelfile of `folder`; returns what is to be said of it.

    Raises:
        ModelError: no Ollama answers, or it can't take the model.
    """
    weights = [folder / GGUF] if (folder / GGUF).is_file() else sorted((folder / FOLDER).iterdir())
    with closing(OllamaServer(KEYS, timeout=TIMEOUT_SECONDS)) as server:
        files = server.ask(name, lambda client: {file.name: client.create_blob(file) for file in weights})
        try:
            server.ask(
                name,
                lambda client: client.create(
                    name,
                    files=files,
                    template=model.template,
                    system=model.system or None,
                    parameters=model.parameters,
                    quantize=QUANTISED[bits] if bits else None,
                ),
            )
        except ServerError as error:
            if "unsupported architecture" not in str(error):
                raise
            raise ModelError(
                f"Ollama at {server.address} can't convert this model ({error}): use a newer Ollama, or {WITHOUT_GGUF}"
            ) from None
        if server.ask(name, lambda client: client.show(name)).template == NO_TEMPLATE:
            return [
                f"neither sitetwin nor Ollama knows this model's chat template: write it into {MODELFILE} as TEMPLATE"
            ]
    return []


def ask(name: str, question: str) -> str:
    """One answer of the model `name`, under the system prompt that it was made with.

    Raises:
        ModelError: Ollama can't answer.
    """
    with closing(OllamaServer(KEYS)) as server:
        messages = [{"role": "user", "content": question}]
        return server.ask(name, lambda client: client.chat(name, messages)).message.content or ""


def _quoted(text: str) -> str:
    # A Modelfile has no way to write three quotation marks within a text.
    return '"""' + text.replace('"""', "'''") + '"""'


def _in_line(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)
