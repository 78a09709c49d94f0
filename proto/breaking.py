"""What callers of the contract depend on, and which changes would break them. Pure: descriptors in, words out."""

from collections.abc import Iterator, Mapping

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)

Contract = Mapping[str, Mapping[str, Mapping[str, str]]]
"""Section (messages, enums, services), full name, key (number, name of an rpc, or `file`): what is promised."""

Path = tuple[int, ...]
"""Where something stands in a file, as source info counts: field numbers of descriptors and indices in turn."""


def contract(files: FileDescriptorSet) -> Contract:
    """All that a caller can depend on, in words that read well in a diff: `"4": "repeated elige.v1.Choice choices"`."""
    messages: dict[str, Mapping[str, str]] = {}
    enums: dict[str, Mapping[str, str]] = {}
    services: dict[str, Mapping[str, str]] = {}
    for file in files.file:
        place = {"file": file.name}  # what Python imports it from
        for name, message, _ in _messages(file):
            fields = sorted(message.field, key=lambda field: field.number)
            messages[name] = place | {str(field.number): _field(field, message) for field in fields}
        for name, enum, _ in _enums(file):
            enums[name] = place | {str(value.number): value.name for value in enum.value}
        for service in file.service:
            promises = {rpc.name: _rpc(rpc) for rpc in service.method}
            services[f"{file.package}.{service.name}"] = place | promises
    sections = {"messages": messages, "enums": enums, "services": services}
    return {section: dict(sorted(names.items())) for section, names in sections.items()}


def breaks(accepted: Contract, today: Contract) -> list[str]:
    """One sentence for every promise that is not kept: removed, renumbered, renamed, retyped, relabelled.

    What was added breaks nobody.
    """
    found = []
    for section, names in accepted.items():
        for name, promises in names.items():
            kept = today[section].get(name)
            if kept is None:
                found.append(f"{name} was removed from the {section}")
                continue
            for key, promise in promises.items():
                if key not in kept:
                    found.append(f"{name}: {key} was removed, it was `{promise}`")
                elif kept[key] != promise:
                    found.append(f"{name}: {key} was `{promise}` and is `{kept[key]}`")
    return found


def uncommented(files: FileDescriptorSet) -> list[str]:
    """Full names of all that has no leading comment: messages, fields, oneofs, enums, values, services, rpcs.

    The files must hold source info (`protoc --include_source_info`), else everything is named.
    """
    missing = []
    for file in files.file:
        commented = {tuple(place.path) for place in file.source_code_info.location if place.leading_comments.strip()}
        missing += [name for name, path in _places(file) if path not in commented]
    return missing


def _messages(file: FileDescriptorProto) -> Iterator[tuple[str, DescriptorProto, Path]]:
    """Every message with full name and path, nested ones after the one that holds them; no map entries."""
    waiting: list[tuple[str, DescriptorProto, Path]] = [
        (f"{file.package}.{message.name}", message, (4, i)) for i, message in enumerate(file.message_type)
    ]
    while waiting:
        name, message, path = waiting.pop(0)
        yield name, message, path
        waiting[:0] = [
            (f"{name}.{nested.name}", nested, (*path, 3, i))
            for i, nested in enumerate(message.nested_type)
            if not nested.options.map_entry
        ]


def _enums(file: FileDescriptorProto) -> Iterator[tuple[str, EnumDescriptorProto, Path]]:
    """Every enum with full name and path."""
    for i, enum in enumerate(file.enum_type):
        yield f"{file.package}.{enum.name}", enum, (5, i)
    for name, message, path in _messages(file):
        for i, enum in enumerate(message.enum_type):
            yield f"{name}.{enum.name}", enum, (*path, 4, i)


def _places(file: FileDescriptorProto) -> Iterator[tuple[str, Path]]:
    """Everything that needs a comment: full name and path."""
    for name, message, path in _messages(file):
        yield name, path
        yield from ((f"{name}.{field.name}", (*path, 2, i)) for i, field in enumerate(message.field))
        presence = {field.oneof_index for field in message.field if field.proto3_optional}  # no oneofs of the author's
        for i, oneof in enumerate(message.oneof_decl):
            if i not in presence:
                yield f"{name}.{oneof.name}", (*path, 8, i)
    for name, enum, path in _enums(file):
        yield name, path
        yield from ((f"{name}.{value.name}", (*path, 2, i)) for i, value in enumerate(enum.value))
    for i, service in enumerate(file.service):
        yield f"{file.package}.{service.name}", (6, i)
        for j, rpc in enumerate(service.method):
            yield f"{file.package}.{service.name}.{rpc.name}", (6, i, 2, j)


def _field(field: FieldDescriptorProto, message: DescriptorProto) -> str:
    entries = {nested.name: nested for nested in message.nested_type if nested.options.map_entry}
    entry = entries.get(field.type_name.rpartition(".")[2])
    if entry is not None:
        key, value = (_type(part) for part in entry.field)
        return f"map<{key}, {value}> {field.name}"
    if field.proto3_optional:
        return f"optional {_type(field)} {field.name}"
    if field.HasField("oneof_index"):
        return f"{_type(field)} {field.name} in oneof {message.oneof_decl[field.oneof_index].name}"
    repeated = "repeated " if field.label == FieldDescriptorProto.LABEL_REPEATED else ""
    return f"{repeated}{_type(field)} {field.name}"


def _type(field: FieldDescriptorProto) -> str:
    if field.type_name:
        return field.type_name.removeprefix(".")
    return FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()


def _rpc(rpc: MethodDescriptorProto) -> str:
    sent, answered = rpc.input_type.removeprefix("."), rpc.output_type.removeprefix(".")
    return f"{'stream ' * rpc.client_streaming}{sent} -> {'stream ' * rpc.server_streaming}{answered}"
