"""Finds what a path names, or answers as Codat does when it is not there."""

from __future__ import annotations

from aiohttp import web

from worker.simulator.gateway import SIMULATOR
from worker.simulator.rules import DataType, Model
from worker.simulator.simulator import Simulator
from worker.simulator.wire import CodatError
from worker.simulator.world import Company, Connection, ConnectionStatus


def simulator_of(request: web.Request) -> Simulator:
    """The simulator behind the application."""
    return request.app[SIMULATOR]


def company_of(request: web.Request) -> Company:
    """The company in the path; raises :class:`CodatError` 404."""
    company_id = request.match_info["company_id"]
    company = simulator_of(request).companies.get(company_id)
    if company is None:
        raise CodatError(404, f"No company was found with ID {company_id}", service="ClientsApi")
    return company


def connection_of(request: web.Request) -> tuple[Company, Connection]:
    """The company and the connection in the path; raises :class:`CodatError` 404."""
    company = company_of(request)
    connection = company.connections.get(request.match_info["connection_id"])
    if connection is None:
        raise CodatError(404, f"Data connection {request.match_info['connection_id']} not found")
    return company, connection


def linked_connection_of(request: web.Request) -> tuple[Company, Connection]:
    """A connection that can be written to; raises :class:`CodatError` 404 or, when it is not linked, 403.

    Codat documents that only a linked connection can be written to, not the status it refuses with.
    """
    company, connection = connection_of(request)
    if connection.status is not ConnectionStatus.LINKED:
        raise CodatError(403, f"Data connection {connection.id} is not linked: its status is {connection.status}.")
    return company, connection


def model_of(connection: Connection, data_type: DataType) -> Model:
    """The platform's model of a data type; raises :class:`CodatError` 404 where it has none."""
    model = connection.platform.models.get(data_type)
    if model is None:
        raise CodatError(404, f"Data type {data_type} is not supported by {connection.platform.name}.")
    return model
