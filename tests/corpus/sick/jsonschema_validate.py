"""Incoming documents checked against a schema, one call for each."""
import jsonschema

schema = {"type": "object", "required": ["name", "tags"],
          "properties": {"name": {"type": "string"}, "price": {"$ref": "#/definitions/price"},
                         "tags": {"type": "array", "items": {"type": "string"}}},
          "definitions": {"price": {"type": "number", "minimum": 0}}}
for i in range(2000):
    jsonschema.validate({"name": f"thing {i}", "price": i, "tags": ["a", "b", "c"]}, schema)
