module slipway.local/external-secrets

go 1.27.0

require github.com/external-secrets/external-secrets v0.20.4

replace github.com/Masterminds/sprig/v3 => github.com/external-secrets/sprig/v3 v3.3.0
