"""The service's own log: readable lines on a terminal, JSON elsewhere; always on standard error."""

import logging
import sys

import structlog


def configure_logging(*, level: int = logging.INFO) -> None:
    terminal = sys.stderr.isatty()
    # plain tracebacks: the pretty ones print local variables, which hold people's contexts, and take seconds to do so
    pretty = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderer = pretty if terminal else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if terminal else [structlog.processors.format_exc_info]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
