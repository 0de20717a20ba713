"""Resources that moto's CloudFormation does not know, so that it can make the whole template.

Those of API Gateway are made by moto's own API, which refuses properties that it does not have. Those of CloudFront, and the bucket's policy,
are only remembered. Importing this module makes them known.
"""

# ruff: noqa: ARG003  # the signatures are moto's
from __future__ import annotations

import inspect
import re
from typing import Any, ClassVar

from moto.apigatewayv2.models import apigatewayv2_backends
from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel

MADE: dict[str, dict[str, Any]] = {}
"""Type -> the properties with which one was made last."""


def snake(name: str) -> str:
    """Write a property's name as moto writes it.

    >>> snake("TimeoutInMillis")
    'timeout_in_millis'
    """
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def called(function: Any, properties: dict[str, Any]) -> Any:
    """Call a function of moto's API with a template's properties; TypeError where it does not know one."""
    known = inspect.signature(function).parameters
    given = {snake(name): value for name, value in properties.items()}
    return function(**{**dict.fromkeys(known), **given})


class _Remembered:
    """A resource that has a name and its properties."""

    kind = ""
    attributes: ClassVar[dict[str, str]] = {}

    def __init__(self, name: str, properties: dict[str, Any]) -> None:
        self.physical_resource_id, self.properties = name, properties
        MADE[self.kind] = properties

    def is_created(self) -> bool:
        return True

    def get_cfn_attribute(self, name: str) -> str:
        return self.attributes[name].format(self.physical_resource_id)

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @classmethod
    def cloudformation_type(cls) -> str:
        return cls.kind

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in cls.attributes

    @classmethod
    def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **_: Any):
        return cls.made(
            resource_name, cloudformation_json["Properties"], apigatewayv2_backends[account_id][region_name]
        )

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name
    ):
        return cls(original_resource.physical_resource_id, cloudformation_json["Properties"])

    @classmethod
    def delete_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name) -> None:
        cls.removed(resource_name, cloudformation_json["Properties"], apigatewayv2_backends[account_id][region_name])

    @classmethod
    def made(cls, name: str, properties: dict[str, Any], _api: Any):
        return cls(name, properties)

    @classmethod
    def removed(cls, name: str, properties: dict[str, Any], api: Any) -> None:
        """Take it away, where moto has it."""


class Api(_Remembered, CloudFormationModel):
    """An HTTP API of moto's."""

    kind = "AWS::ApiGatewayV2::Api"

    @classmethod
    def made(cls, name, properties, api):
        return cls(called(api.create_api, properties).api_id, properties)

    @classmethod
    def removed(cls, name, properties, api) -> None:
        api.delete_api(name)


class Integration(_Remembered, CloudFormationModel):
    """What an API hands its requests to."""

    kind = "AWS::ApiGatewayV2::Integration"

    @classmethod
    def made(cls, name, properties, api):
        return cls(called(api.create_integration, properties).id, properties)


class Route(_Remembered, CloudFormationModel):
    """Which requests go there."""

    kind = "AWS::ApiGatewayV2::Route"

    @classmethod
    def made(cls, name, properties, api):
        return cls(called(api.create_route, properties).route_id, properties)


class Stage(_Remembered, CloudFormationModel):
    """Where the API is reached, and how often."""

    kind = "AWS::ApiGatewayV2::Stage"

    @classmethod
    def made(cls, name, properties, api):
        config = {key[0].lower() + key[1:]: value for key, value in properties.items()}
        api.create_stage(config.pop("apiId"), config)
        return cls(properties["StageName"], properties)


class BucketPolicy(_Remembered, CloudFormationModel):
    """Who may read the page's bucket."""

    kind = "AWS::S3::BucketPolicy"


class Access(_Remembered, CloudFormationModel):
    """How CloudFront signs what it asks the bucket for."""

    kind = "AWS::CloudFront::OriginAccessControl"
    attributes: ClassVar[dict[str, str]] = {"Id": "{0}"}


class Headers(_Remembered, CloudFormationModel):
    """What CloudFront says beside the page."""

    kind = "AWS::CloudFront::ResponseHeadersPolicy"


class Distribution(_Remembered, CloudFormationModel):
    """The page, all over the world."""

    kind = "AWS::CloudFront::Distribution"
    attributes: ClassVar[dict[str, str]] = {"DomainName": "d111111abcdef8.cloudfront.net"}


for known in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
    known.cache_clear()
