"""`python -m bench` measures the preview, the embedded platform, the client of it, and the ledger."""

from bench import client, first_cycle, ledger, preview, service_provider

preview.main()
service_provider.main()
first_cycle.main()
client.main()
ledger.main()
