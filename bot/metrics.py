"""Every metric of the program, declared in one place. One `Metrics` per application, so tests never share counts."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

_FAST = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 5.0)


class Metrics:
    """Counters and histograms over one registry. Labels hold closed sets of words, never ids or text."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._declare_chat()
        self._declare_machinery()

    def _declare_chat(self) -> None:
        own = self.registry
        self.callbacks_total = Counter(
            "xiangxiao_callbacks_total", "Callbacks from WeChat by what became of them", ["result"], registry=own
        )
        self.replies_seconds = Histogram(
            "xiangxiao_replies_seconds", "Time from receiving a message to its reply", buckets=_FAST, registry=own
        )
        self.replayed_total = Counter(
            "xiangxiao_replayed_total", "Messages seen before and answered with the remembered reply", registry=own
        )
        self.late_replies_total = Counter(
            "xiangxiao_late_replies_total", "Replies that missed the budget and followed as a message", registry=own
        )
        self.dispatch_failures_total = Counter(
            "xiangxiao_dispatch_failures_total", "Messages answered with an apology", ["cause"], registry=own
        )
        self.answers_total = Counter(
            "xiangxiao_answers_total", "Answers to policy questions by outcome", ["outcome"], registry=own
        )
        self.answer_cache_total = Counter(
            "xiangxiao_answer_cache_total", "Look-ups in the answer cache", ["result"], registry=own
        )
        self.answer_seconds = Histogram(
            "xiangxiao_answer_seconds", "Time to work out an answer, without the cache", buckets=_FAST, registry=own
        )

    def _declare_machinery(self) -> None:
        own = self.registry
        self.requests_total = Counter(
            "xiangxiao_http_requests_total", "HTTP requests outside the callback", ["method", "status"], registry=own
        )
        self.errors_total = Counter("xiangxiao_errors_total", "Unexpected errors by place", ["where"], registry=own)
        self.wechat_calls_total = Counter(
            "xiangxiao_wechat_calls_total", "Calls to the WeChat API", ["api", "errcode"], registry=own
        )
        self.outbox_total = Counter(
            "xiangxiao_outbox_total", "Messages to send by the state they reached", ["status"], registry=own
        )
        self.pushes_total = Counter(
            "xiangxiao_pushes_total", "Messages to people by channel and what came of them", ["channel", "result"],
            registry=own,
        )  # fmt: skip
        self.outbox_backlog = Gauge(
            "xiangxiao_outbox_backlog", "Messages to send by the state they are in", ["status"], registry=own
        )
        self.outbox_oldest_seconds = Gauge(
            "xiangxiao_outbox_oldest_seconds", "For how long the oldest message has been due", registry=own
        )
        self.workers_alive = Gauge(
            "xiangxiao_workers_alive", "Processes that deliver, of all there are; NaN while Redis is away", registry=own
        )
        self.worker_idle_seconds = Gauge(
            "xiangxiao_worker_idle_seconds", "For how long each of them has found nothing to do", ["place"],
            registry=own,
        )  # fmt: skip
        self.redis_reads_total = Counter(
            "xiangxiao_redis_combined_reads_total", "Round trips that each served the reads of one tick", registry=own
        )
        self.redis_away_total = Counter("xiangxiao_redis_away_total", "Operations refused: Redis away", registry=own)
        self.write_behind_lost_total = Counter(
            "xiangxiao_write_behind_lost_total", "Deferred writes dropped because Redis was away", registry=own
        )
        self.jobs_total = Counter("xiangxiao_jobs_total", "Ticks of scheduled jobs", ["job", "result"], registry=own)
        self.audit_head_number = Gauge("xiangxiao_audit_head_number", "Entries of the audit chained", registry=own)
        self.audit_head = Info("xiangxiao_audit", "Head of the audit's chain, once an hour", registry=own)
        self.calendar_years_missing = Gauge(
            "xiangxiao_calendar_years_missing", "Years without a table that are due, over all townships", registry=own
        )
        self.knowledge_entries = Gauge("xiangxiao_knowledge_entries", "Entries in the loaded knowledge", registry=own)

    def render(self) -> bytes:
        """The exposition text Prometheus reads."""
        return generate_latest(self.registry)
