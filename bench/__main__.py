"""`python -m bench` measures preview, plan, embedded platform, its client, apply, audit, logs, ledger."""

from bench import apply, audit, audit_logs, client, first_cycle, ledger, plan, preview, service_provider

preview.main()
plan.main()
service_provider.main()
first_cycle.main()
client.main()
apply.main()
audit.main()
audit_logs.main()
ledger.main()
