"""`python -m bench` measures the preview, the plan, the embedded platform, the client of it, an apply, the ledger."""

from bench import apply, client, first_cycle, ledger, plan, preview, service_provider

preview.main()
plan.main()
service_provider.main()
first_cycle.main()
client.main()
apply.main()
ledger.main()
