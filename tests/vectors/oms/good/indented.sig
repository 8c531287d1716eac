{
  "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
  "verificationMaterial": {
    "publicKey": {
      "hint": "78516748da28a62974a458c4a3195f95de1207d04937f5a8a9d0fc8b689ffc07"
    },
    "tlogEntries": []
  },
  "dsseEnvelope": {
    "payload": "eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjEiLCJzdWJqZWN0IjpbeyJuYW1lIjoibW9kZWwiLCJkaWdlc3QiOnsic2hhMjU2IjoiNzkwODE5N2Q5MWRkNWE0NWEzYzFkZGU2YjUyMWVkNDZmNjA3NjE5NGU2OTQ4MDY3N2M2YjFhZmM3YWNmMDY2NCJ9fV0sInByZWRpY2F0ZVR5cGUiOiJodHRwczovL21vZGVsX3NpZ25pbmcvc2lnbmF0dXJlL3YxLjAiLCJwcmVkaWNhdGUiOnsicmVzb3VyY2VzIjpbeyJuYW1lIjoiY29uZmlnLmpzb24iLCJhbGdvcml0aG0iOiJzaGEyNTYiLCJkaWdlc3QiOiIwOWQzNDNjMzdkZTBiYmExNDNiN2ZmNDVmODJjMGFiOTMwODUzMWRjYzc4YjU2YjhlYjQwYzU5MzhjNGJlNDE4In0seyJuYW1lIjoid2VpZ2h0cy5iaW4iLCJhbGdvcml0aG0iOiJzaGEyNTYiLCJkaWdlc3QiOiJlN2FlYmY1NzdmNjA0MTJmMDMxMmQ0NDJjNzBhMWZhNjE0OGMwOTBiZjViYWI0MDRjYWVjMjk0ODJhZTc3OWU4In1dLCJzZXJpYWxpemF0aW9uIjp7Im1ldGhvZCI6ImZpbGVzIiwiaGFzaF90eXBlIjoic2hhMjU2IiwiYWxsb3dfc3ltbGlua3MiOmZhbHNlLCJpZ25vcmVfcGF0aHMiOlsiLmdpdCIsIi5naXRhdHRyaWJ1dGVzIiwiLmdpdGh1YiIsIi5naXRpZ25vcmUiLCJtb2RlbC5pbnRvdG8uanNvbmwiLCJtb2RlbC5zaWciXX19fQ==",
    "payloadType": "application/vnd.in-toto+json",
    "signatures": [
      {
        "sig": "MEQCIGnIOihtbRqUlph4q5rCzPFvhYJPTWGCXq0cYlLCkEehAiAL6r0NUVbCFm+m40D3KbI8Bzp3wDakIvGJeVAhuHOWhg==",
        "keyid": ""
      }
    ]
  }
}