"""Thing Descriptions that use what the specification has, each after an example of it, in words of our own.

Source: Web of Things (WoT) Thing Description 1.1, W3C Recommendation 2023-12-05.
"""

from __future__ import annotations

from typing import Any

TD = "https://www.w3.org/2022/wot/td/v1.1"
TD_1_0 = "https://www.w3.org/2019/wot/td/v1"


def thing(**more: Any) -> dict[str, Any]:
    """Return the smallest description, with more."""
    least = {
        "@context": TD,
        "id": "urn:uuid:0804d572-cce8-422a-bb7c-4412fcd56f06",
        "title": "Lamp",
        "securityDefinitions": {"basic_sc": {"scheme": "basic", "in": "header"}},
        "security": "basic_sc",
    }
    return least | more


def lamp(**more: Any) -> dict[str, Any]:
    """Return a lamp with a property, an action and an event."""
    return thing(
        properties={"status": {"type": "string", "forms": [{"href": "https://lamp.example.com/status"}]}},
        actions={"toggle": {"forms": [{"href": "https://lamp.example.com/toggle"}]}},
        events={
            "overheating": {
                "data": {"type": "string"},
                "forms": [{"href": "https://lamp.example.com/oh", "subprotocol": "longpoll"}],
            }
        },
        **more,
    )


def secured(scheme: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a lamp with another scheme."""
    return lamp() | {"securityDefinitions": {"sc": scheme}, "security": ["sc"]} | more


FORM = {"href": "/x"}

EXAMPLES = {
    "a lamp": lamp(),
    "semantic annotations": lamp(**{"@type": "saref:LightSwitch"})
    | {"@context": [TD, {"saref": "https://w3id.org/saref#", "htv": "http://www.w3.org/2011/http#"}]},
    "version 1.0": lamp() | {"@context": TD_1_0},
    "versions 1.0 and 1.1": lamp() | {"@context": [TD_1_0, TD]},
    "languages": lamp(
        titles={"en": "Lamp", "de": "Lampe", "zh-Hans": "灯", "ar": "مصباح"}, description="a lamp"
    )
    | {"@context": [TD, {"@language": "de", "dc": "http://purl.org/dc/terms/"}]},
    "versions and times": lamp(
        version={"instance": "1.2.1", "model": "2.0.0"},
        created="2018-11-13T20:20:39+00:00",
        modified="2022-03-10T17:02:54.432064234Z",
        support="mailto:support@example.com",
    ),
    "a base": lamp(base="coap://lamp.example.com:5683/")
    | {"properties": {"on": {"forms": [{"href": "on"}]}}},
    "links": lamp(
        links=[
            {
                "href": "https://lamp.example.com/control",
                "rel": "controlledBy",
                "type": "application/td+json",
            },
            {"href": "./model.tm.json", "rel": "type", "type": "application/tm+json"},
            {"href": "/icon.png", "rel": "icon", "sizes": "16x16", "type": "image/png"},
            {"href": "/manual", "rel": "service-doc", "hreflang": ["de", "en-GB"], "anchor": "#section"},
        ]
    ),
    "forms of the whole": lamp(
        forms=[
            {"op": "readallproperties", "href": "/properties", "htv:methodName": "GET"},
            {"op": ["observeallproperties", "unobserveallproperties"], "href": "/p", "subprotocol": "sse"},
            {"op": ["subscribeallevents", "unsubscribeallevents"], "href": "/events"},
            {"op": ["queryallactions"], "href": "/actions"},
        ]
    ),
    "uri variables": lamp(uriVariables={"unit": {"type": "string", "enum": ["C", "F"]}})
    | {
        "properties": {
            "weather": {
                "uriVariables": {
                    "lat": {"type": "number", "minimum": 0, "maximum": 90, "description": "latitude"}
                },
                "forms": [{"href": "https://example.org/weather/{?lat,long}", "htv:methodName": "GET"}],
            }
        }
    },
    "data schemas": lamp()
    | {
        "properties": {
            "state": {
                "type": "object",
                "properties": {
                    "brightness": {"type": "number", "minimum": 0.0, "maximum": 100.0, "multipleOf": 0.5},
                    "rgb": {"type": "array", "items": {"type": "integer"}, "minItems": 3, "maxItems": 3},
                    "pair": {"type": "array", "items": [{"type": "string"}, {"type": "boolean"}]},
                    "mode": {
                        "oneOf": [{"const": 1}, {"type": "string", "enum": ["a", "b"]}, {"type": "null"}]
                    },
                    "name": {"type": "string", "minLength": 1, "maxLength": 9, "pattern": "^[a-z]+$"},
                    "picture": {
                        "type": "string",
                        "contentEncoding": "base64",
                        "contentMediaType": "image/png",
                    },
                    "level": {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 10, "default": 5},
                },
                "required": ["brightness", "rgb"],
                "readOnly": True,
                "observable": True,
                "forms": [{"href": "/state", "op": ["readproperty", "observeproperty", "unobserveproperty"]}],
            }
        }
    },
    "an action": lamp()
    | {
        "actions": {
            "fade": {
                "title": "Fade in or out",
                "input": {
                    "type": "object",
                    "properties": {"to": {"type": "integer", "minimum": 0, "maximum": 100}},
                    "required": ["to"],
                },
                "output": {"type": "string"},
                "safe": False,
                "idempotent": False,
                "synchronous": False,
                "forms": [{"href": "/fade", "op": ["invokeaction", "queryaction", "cancelaction"]}],
            }
        }
    },
    "a webhook": lamp()
    | {
        "events": {
            "overheated": {
                "subscription": {
                    "type": "object",
                    "properties": {"callback": {"type": "string", "format": "uri", "writeOnly": True}},
                },
                "data": {"type": "number"},
                "dataResponse": {"type": "boolean"},
                "cancellation": {"type": "object", "properties": {"id": {"type": "integer"}}},
                "uriVariables": {"id": {"type": "string"}},
                "forms": [
                    {
                        "op": "subscribeevent",
                        "href": "http://192.168.0.124:8080/events",
                        "htv:methodName": "POST",
                    },
                    {"op": "unsubscribeevent", "href": "http://192.168.0.124:8080/events/{id}"},
                ],
            }
        }
    },
    "responses": lamp(
        schemaDefinitions={"fault": {"type": "object", "properties": {"why": {"type": "string"}}}}
    )
    | {
        "actions": {
            "go": {
                "forms": [
                    {
                        "href": "/go",
                        "contentType": "application/json; charset=utf-8",
                        "contentCoding": "gzip",
                        "response": {"contentType": "image/jpeg", "htv:statusCodeValue": 200},
                        "additionalResponses": [
                            {"success": False, "contentType": "text/plain", "schema": "fault"}
                        ],
                    }
                ]
            }
        }
    },
    "alternatives of security": thing(
        securityDefinitions={
            "basic_sc": {"scheme": "basic"},
            "digest_sc": {"scheme": "digest", "qop": "auth-int"},
            "bearer_sc": {"scheme": "bearer", "alg": "ES256", "format": "jwt", "in": "header"},
            "proxy_sc": {"scheme": "nosec", "proxy": "https://portal.example.com/"},
            "either_sc": {"scheme": "combo", "oneOf": ["digest_sc", "bearer_sc"]},
            "both_sc": {"scheme": "combo", "allOf": ["proxy_sc", "basic_sc"]},
        },
        security="both_sc",
        properties={
            "s": {"forms": [FORM, FORM | {"security": ["either_sc"]}, FORM | {"security": "basic_sc"}]}
        },
    ),
    "oauth2": secured(
        {
            "scheme": "oauth2",
            "flow": "code",
            "authorization": "https://example.com/authorization",
            "token": "https://example.com/token",
            "refresh": "https://example.com/refresh",
            "scopes": ["limited", "special"],
        },
        properties={"status": {"forms": [{"href": "/status", "scopes": ["limited"]}]}},
    ),
    "a key in the address": secured(
        {"scheme": "apikey", "in": "uri", "name": "token"},
        properties={"on": {"forms": [{"href": "https://lamp.example.com/{token}/on"}]}},
    ),
    "a key in the body": secured({"scheme": "apikey", "in": "body", "name": "/key"}),
    "pre-shared key": secured({"scheme": "psk", "identity": "192.0.2.2"}),
    "automatic security": secured({"scheme": "auto"}),
    "security of another vocabulary": secured(
        {"scheme": "ace:ACESecurityScheme", "ace:as": "coaps://as.example.com/token"}
    )
    | {"@context": [TD, {"ace": "http://www.example.org/ace-security#"}]},
    "terms of other vocabularies": lamp(**{"cov:mode": {"@value": 1}, "serial": 7, "geo:long": None}),
    "profiles": lamp(profile=["https://www.w3.org/2022/wot/profile/http-basic/v1"]),
    "many types": lamp(**{"@type": ["Thing", "saref:Sensor"]}),
}
