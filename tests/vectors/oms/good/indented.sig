{
  "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
  "verificationMaterial": {
    "publicKey": {
      "hint": "6afe5c5cb8eb1fb7c10c94cfa3449e6492704c92fdfc7ae6e21cf741a25628a7"
    },
    "tlogEntries": []
  },
  "dsseEnvelope": {
    "payload": "eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjEiLCJzdWJqZWN0IjpbeyJuYW1lIjoibW9kZWwiLCJkaWdlc3QiOnsic2hhMjU2IjoiNzkwODE5N2Q5MWRkNWE0NWEzYzFkZGU2YjUyMWVkNDZmNjA3NjE5NGU2OTQ4MDY3N2M2YjFhZmM3YWNmMDY2NCJ9fV0sInByZWRpY2F0ZVR5cGUiOiJodHRwczovL21vZGVsX3NpZ25pbmcvc2lnbmF0dXJlL3YxLjAiLCJwcmVkaWNhdGUiOnsicmVzb3VyY2VzIjpbeyJuYW1lIjoiY29uZmlnLmpzb24iLCJhbGdvcml0aG0iOiJzaGEyNTYiLCJkaWdlc3QiOiIwOWQzNDNjMzdkZTBiYmExNDNiN2ZmNDVmODJjMGFiOTMwODUzMWRjYzc4YjU2YjhlYjQwYzU5MzhjNGJlNDE4In0seyJuYW1lIjoid2VpZ2h0cy5iaW4iLCJhbGdvcml0aG0iOiJzaGEyNTYiLCJkaWdlc3QiOiJlN2FlYmY1NzdmNjA0MTJmMDMxMmQ0NDJjNzBhMWZhNjE0OGMwOTBiZjViYWI0MDRjYWVjMjk0ODJhZTc3OWU4In1dLCJzZXJpYWxpemF0aW9uIjp7Im1ldGhvZCI6ImZpbGVzIiwiaGFzaF90eXBlIjoic2hhMjU2IiwiYWxsb3dfc3ltbGlua3MiOmZhbHNlLCJpZ25vcmVfcGF0aHMiOlsiLmdpdCIsIi5naXRhdHRyaWJ1dGVzIiwiLmdpdGh1YiIsIi5naXRpZ25vcmUiLCJtb2RlbC5pbnRvdG8uanNvbmwiLCJtb2RlbC5zaWciXX19fQ==",
    "payloadType": "application/vnd.in-toto+json",
    "signatures": [
      {
        "sig": "MEUCIQCosqDiYceHt8YD7kaJKYmxijpydE9hLQK43nzD7pKmdQIgUhrLhcFvlfIEw5HQhdgAltjQDSbqVrEqLp7aljasRWM=",
        "keyid": ""
      }
    ]
  }
}