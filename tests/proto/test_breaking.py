"""Every kind of change that would break a caller is caught; additions are not."""

from collections.abc import Callable

import pytest
from breaking import breaks, contract, uncommented
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.protobuf.text_format import Parse

PROTO = """
name: "shop/v1/shop.proto" package: "shop.v1"
message_type {
  name: "Order"
  field { name: "id" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "lines" number: 2 type: TYPE_MESSAGE type_name: ".shop.v1.Order.Line" label: LABEL_REPEATED }
  field { name: "total" number: 3 type: TYPE_DOUBLE label: LABEL_OPTIONAL proto3_optional: true oneof_index: 1 }
  field { name: "card" number: 4 type: TYPE_STRING label: LABEL_OPTIONAL oneof_index: 0 }
  field { name: "cash" number: 5 type: TYPE_BOOL label: LABEL_OPTIONAL oneof_index: 0 }
  field { name: "notes" number: 6 type: TYPE_MESSAGE type_name: ".shop.v1.Order.NotesEntry" label: LABEL_REPEATED }
  nested_type {
    name: "Line"
    field { name: "item" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
    enum_type { name: "Size" value { name: "SIZE_UNSPECIFIED" number: 0 } }
  }
  nested_type {
    name: "NotesEntry"
    field { name: "key" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "value" number: 2 type: TYPE_INT32 label: LABEL_OPTIONAL }
    options { map_entry: true }
  }
  oneof_decl { name: "payment" }
  oneof_decl { name: "_total" }
}
enum_type {
  name: "State"
  value { name: "STATE_UNSPECIFIED" number: 0 }
  value { name: "STATE_OPEN" number: 1 }
}
service {
  name: "Shop"
  method { name: "Buy" input_type: ".shop.v1.Order" output_type: ".shop.v1.Order" }
  method { name: "Watch" input_type: ".shop.v1.Order" output_type: ".shop.v1.Order" server_streaming: true }
}
"""


def shop() -> FileDescriptorProto:
    return Parse(PROTO, FileDescriptorProto())


def files(file: FileDescriptorProto) -> FileDescriptorSet:
    return FileDescriptorSet(file=[file])


def broken(change: Callable[[FileDescriptorProto], object]) -> list[str]:
    """What `change` breaks."""
    file = shop()
    change(file)
    return breaks(contract(files(shop())), contract(files(file)))


def test_a_contract_reads_well() -> None:
    assert contract(files(shop())) == {
        "messages": {
            "shop.v1.Order": {
                "file": "shop/v1/shop.proto",
                "1": "string id",
                "2": "repeated shop.v1.Order.Line lines",
                "3": "optional double total",
                "4": "string card in oneof payment",
                "5": "bool cash in oneof payment",
                "6": "map<string, int32> notes",
            },
            "shop.v1.Order.Line": {"file": "shop/v1/shop.proto", "1": "string item"},
        },
        "enums": {
            "shop.v1.Order.Line.Size": {"file": "shop/v1/shop.proto", "0": "SIZE_UNSPECIFIED"},
            "shop.v1.State": {"file": "shop/v1/shop.proto", "0": "STATE_UNSPECIFIED", "1": "STATE_OPEN"},
        },
        "services": {
            "shop.v1.Shop": {
                "file": "shop/v1/shop.proto",
                "Buy": "shop.v1.Order -> shop.v1.Order",
                "Watch": "shop.v1.Order -> stream shop.v1.Order",
            }
        },
    }


def set_field(index: int, **values: object) -> Callable[[FileDescriptorProto], object]:
    return lambda file: [setattr(file.message_type[0].field[index], name, value) for name, value in values.items()]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.message_type[0].field.pop(0), "shop.v1.Order: 1 was removed, it was `string id`"),
        (set_field(0, number=9), "shop.v1.Order: 1 was removed, it was `string id`"),
        (set_field(0, name="key"), "shop.v1.Order: 1 was `string id` and is `string key`"),
        (
            set_field(0, type=FieldDescriptorProto.TYPE_BYTES),
            "shop.v1.Order: 1 was `string id` and is `bytes id`",
        ),
        (
            set_field(0, label=FieldDescriptorProto.LABEL_REPEATED),
            "shop.v1.Order: 1 was `string id` and is `repeated string id`",
        ),
        (
            set_field(1, type_name=".shop.v1.Order"),
            "shop.v1.Order: 2 was `repeated shop.v1.Order.Line lines` and is `repeated shop.v1.Order lines`",
        ),
        (
            lambda f: (f.message_type[0].field[2].ClearField("proto3_optional"), clear_oneof(f, 2)),
            "shop.v1.Order: 3 was `optional double total` and is `double total`",
        ),
        (
            lambda f: clear_oneof(f, 3),
            "shop.v1.Order: 4 was `string card in oneof payment` and is `string card`",
        ),
        (
            lambda f: setattr(f.message_type[0].oneof_decl[0], "name", "paid"),
            "shop.v1.Order: 4 was `string card in oneof payment` and is `string card in oneof paid`",
        ),
        (
            lambda f: setattr(f.message_type[0].nested_type[1].field[1], "type", FieldDescriptorProto.TYPE_INT64),
            "shop.v1.Order: 6 was `map<string, int32> notes` and is `map<string, int64> notes`",
        ),
        (lambda f: f.message_type.pop(0), "shop.v1.Order was removed from the messages"),
        (
            lambda f: setattr(f.message_type[0].nested_type[0], "name", "Row"),
            "shop.v1.Order.Line was removed from the messages",
        ),
        (lambda f: f.enum_type.pop(0), "shop.v1.State was removed from the enums"),
        (lambda f: f.enum_type[0].value.pop(1), "shop.v1.State: 1 was removed, it was `STATE_OPEN`"),
        (
            lambda f: setattr(f.enum_type[0].value[1], "number", 2),
            "shop.v1.State: 1 was removed, it was `STATE_OPEN`",
        ),
        (
            lambda f: setattr(f.enum_type[0].value[1], "name", "STATE_NEW"),
            "shop.v1.State: 1 was `STATE_OPEN` and is `STATE_NEW`",
        ),
        (lambda f: f.service.pop(0), "shop.v1.Shop was removed from the services"),
        (
            lambda f: f.service[0].method.pop(0),
            "shop.v1.Shop: Buy was removed, it was `shop.v1.Order -> shop.v1.Order`",
        ),
        (
            lambda f: setattr(f.service[0].method[0], "output_type", ".shop.v1.Order.Line"),
            "shop.v1.Shop: Buy was `shop.v1.Order -> shop.v1.Order` and is `shop.v1.Order -> shop.v1.Order.Line`",
        ),
        (
            lambda f: setattr(f.service[0].method[0], "client_streaming", True),
            "shop.v1.Shop: Buy was `shop.v1.Order -> shop.v1.Order` and is `stream shop.v1.Order -> shop.v1.Order`",
        ),
        (
            lambda f: setattr(f, "name", "shop/v1/other.proto"),
            "shop.v1.Order: file was `shop/v1/shop.proto` and is `shop/v1/other.proto`",
        ),
        (lambda f: setattr(f, "package", "shop.v2"), "shop.v1.Order was removed from the messages"),
    ],
)
def test_a_change_that_breaks_callers_is_named(change: Callable[[FileDescriptorProto], object], message: str) -> None:
    assert message in broken(change)


def clear_oneof(file: FileDescriptorProto, index: int) -> None:
    file.message_type[0].field[index].ClearField("oneof_index")


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.message_type[0].field.add(name="new", number=9, type=FieldDescriptorProto.TYPE_BOOL),
        lambda f: f.message_type[0].field.add(name="gift", number=9, type=9, oneof_index=0),
        lambda f: f.message_type.add(name="New"),
        lambda f: f.enum_type.add(name="New"),
        lambda f: f.enum_type[0].value.add(name="STATE_NEW", number=7),
        lambda f: f.service[0].method.add(name="New", input_type=".shop.v1.Order", output_type=".shop.v1.Order"),
        lambda f: f.service.add(name="New"),
    ],
)
def test_an_addition_breaks_nobody_and_is_seen(change: Callable[[FileDescriptorProto], object]) -> None:
    file = shop()
    change(file)
    before, after = contract(files(shop())), contract(files(file))
    assert breaks(before, after) == []
    assert after != before


def test_everything_without_a_comment_is_named() -> None:
    assert uncommented(files(shop())) == [
        "shop.v1.Order",
        "shop.v1.Order.id",
        "shop.v1.Order.lines",
        "shop.v1.Order.total",
        "shop.v1.Order.card",
        "shop.v1.Order.cash",
        "shop.v1.Order.notes",
        "shop.v1.Order.payment",
        "shop.v1.Order.Line",
        "shop.v1.Order.Line.item",
        "shop.v1.State",
        "shop.v1.State.STATE_UNSPECIFIED",
        "shop.v1.State.STATE_OPEN",
        "shop.v1.Order.Line.Size",
        "shop.v1.Order.Line.Size.SIZE_UNSPECIFIED",
        "shop.v1.Shop",
        "shop.v1.Shop.Buy",
        "shop.v1.Shop.Watch",
    ]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ((4, 0, 2, 1), "shop.v1.Order.lines"),
        ((4, 0, 3, 0, 2, 0), "shop.v1.Order.Line.item"),
        ((4, 0, 8, 0), "shop.v1.Order.payment"),
        ((4, 0, 3, 0, 4, 0, 2, 0), "shop.v1.Order.Line.Size.SIZE_UNSPECIFIED"),
        ((5, 0, 2, 1), "shop.v1.State.STATE_OPEN"),
        ((6, 0, 2, 0), "shop.v1.Shop.Buy"),
    ],
)
def test_a_comment_is_found_where_it_stands(path: tuple[int, ...], name: str) -> None:
    file = shop()
    file.source_code_info.location.add(path=path, leading_comments=" What it is.\n")
    assert set(uncommented(files(shop()))) - set(uncommented(files(file))) == {name}


def test_an_empty_comment_is_none() -> None:
    file = shop()
    file.source_code_info.location.add(path=(4, 0), leading_comments=" \n")
    assert "shop.v1.Order" in uncommented(files(file))
