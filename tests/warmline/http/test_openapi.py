"""The document says everything the application can answer, and the application keeps to it."""

import asyncio
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from aiohttp.test_utils import TestServer
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS
from terms.refusals import RefusalCode

from tests.warmline.http.conftest import Client
from tests.warmline.http.example import notes
from warmline.http.api import Operations
from warmline.http.asked import Acting, Asked
from warmline.http.openapi import document
from warmline.http.problems import TITLES, ProblemCode, refusal_status, status_of
from warmline.http.who import CALLER, AppKey, Caller
