"""Tokens that a service marks with a beginning of its own."""

from __future__ import annotations

from security.secrets.values import TOKEN, WORD, Rule

_HEX = "a-f0-9"


def _rule(
    name: str, title: str, heads: str, body: str, sample: str, *,
    right: str = TOKEN, left: str = TOKEN, valid: str = "token", entropy: float = 2.5,
    others: tuple[str, ...] = (),
) -> Rule:  # fmt: skip
    starts = tuple(heads.split())
    escaped = "|".join(head.replace(".", r"\.") for head in starts)
    return Rule(
        name, title, f"(?:{escaped}){body}", starts, left=left, right=right,
        finds=f"(?:{escaped})[A-Za-z0-9_.+/=-]{{10}}", valid=valid, entropy=entropy,
        samples=tuple(head + sample for head in starts),
        others=(*others, *(head + "x" * 40 for head in starts), *starts),
    )  # fmt: skip


RULES: tuple[Rule, ...] = (
    _rule("aws-access-key", "an AWS access key id", "AKIA ASIA ABIA ACCA", "[A-Z2-7]{16}",
          "{T16}", others=("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPL"),
          left="A-Za-z0-9_+/=", right="A-Za-z0-9_+/="),
    _rule("google-api-key", "a Google API key", "AIza", "[A-Za-z0-9_-]{35}", "{W35}"),
    _rule("google-oauth-secret", "a Google OAuth secret", "GOCSPX-", "[A-Za-z0-9_-]{28}", "{W28}"),
    _rule("google-oauth-token", "a Google OAuth token", "ya29.", "[A-Za-z0-9_-]{20,500}",
          "{W60}"),
    _rule("azure-storage-key", "an Azure storage key", "AccountKey= SharedAccessKey=",
          "[A-Za-z0-9+/]{42,86}={1,2}", "{B86}=="),
    _rule("github-token", "a GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", "[A-Za-z0-9]{36}",
          "{crc}", valid="github"),
    _rule("github-fine-token", "a fine-grained GitHub token", "github_pat_",
          "[A-Za-z0-9]{22}_[A-Za-z0-9]{59}", "{A22}_{A59}"),
    _rule("gitlab-token", "a GitLab token",
          "glpat- gldt- glrt- glptt- glft- glsoat- glcbt- glagent- gloas-",
          "[A-Za-z0-9_.-]{20,300}", "{W20}"),
    _rule("huggingface-token", "a Hugging Face token", "hf_ api_org_", "[A-Za-z0-9]{34,40}",
          "{L34}", others=("hf_hub_download_from_the_main_branch_of_it",)),
    _rule("anthropic-key", "an Anthropic key", "sk-ant-", "[A-Za-z0-9_-]{32,200}",
          "api03-{W93}AA"),
    _rule("openrouter-key", "an OpenRouter key", "sk-or-v1-", f"[{_HEX}]{{64}}", "{h64}"),
    _rule("openai-key", "an OpenAI key (or of a service that copies its form)", "sk-",
          "[A-Za-z0-9_-]{32,200}", "proj-{A48}T3BlbkFJ{A40}", valid="random",
          others=("sk-a-long-name-of-some-style-sheet-class-of-no-interest",)),
    _rule("wandb-key", "a Weights & Biases key", "wandb_v1_", "[A-Za-z0-9_]{40,120}", "{A77}"),
    _rule("slack-token", "a Slack token", "xoxb- xoxp- xoxa- xoxr- xoxs- xoxe. xoxe- xapp-",
          "[A-Za-z0-9.-]{20,250}", "{d12}-{d12}-{A24}", right=WORD),
    _rule("slack-webhook", "the address of a Slack webhook",
          "hooks.slack.com/services/ hooks.slack.com/workflows/",
          "[A-Z0-9]{6,14}/[A-Z0-9]{6,14}/[A-Za-z0-9]{16,32}", "T{U9}/B{U10}/{A24}"),
    _rule("stripe-key", "a Stripe key", "sk_live_ rk_live_ sk_test_ rk_test_",
          "[A-Za-z0-9]{16,250}", "{A24}", others=("sk_test_" + "4eC39",)),
    _rule("stripe-webhook-secret", "a Stripe webhook secret", "whsec_", "[A-Za-z0-9+/=]{24,64}",
          "{A32}"),
    _rule("npm-token", "an npm token", "npm_", "[A-Za-z0-9]{36}", "{A36}",
          others=("npm_config_registry_and_something_that_is_long",)),
    _rule("pypi-token", "a PyPI token", "pypi-AgEIcHlwaS5vcmc pypi-AgENdGVzdC5weXBpLm9yZw",
          "[A-Za-z0-9_-]{50,300}", "{W150}"),
    _rule("rubygems-token", "a RubyGems token", "rubygems_", f"[{_HEX}]{{48}}", "{h48}"),
    _rule("docker-token", "a Docker Hub token", "dckr_pat_ dckr_oat_", "[A-Za-z0-9_-]{24,64}",
          "{W27}"),
    _rule("sendgrid-key", "a SendGrid key", "SG.", r"[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",
          "{W22}.{W43}"),
    _rule("digitalocean-token", "a DigitalOcean token", "dop_v1_ doo_v1_ dor_v1_",
          f"[{_HEX}]{{64}}", "{h64}"),
    _rule("databricks-token", "a Databricks token", "dapi", f"[{_HEX}]{{32}}", "{h32}"),
    _rule("replicate-token", "a Replicate token", "r8_", "[A-Za-z0-9]{37}", "{A37}"),
    _rule("groq-key", "a Groq key", "gsk_", "[A-Za-z0-9]{48,56}", "{A52}"),
    _rule("nvidia-key", "an NVIDIA API key", "nvapi-", "[A-Za-z0-9_-]{60,80}", "{W64}"),
    _rule("xai-key", "an xAI key", "xai-", "[A-Za-z0-9]{70,90}", "{A80}"),
    _rule("perplexity-key", "a Perplexity key", "pplx-", "[A-Za-z0-9]{40,60}", "{A48}"),
    _rule("langsmith-key", "a LangSmith key", "lsv2_pt_ lsv2_sk_", f"[{_HEX}]{{32}}_[{_HEX}]{{10}}",
          "{h32}_{h10}"),
    _rule("pinecone-key", "a Pinecone key", "pcsk_", "[A-Za-z0-9_]{40,80}", "{A69}"),
    _rule("vault-token", "a HashiCorp Vault token", "hvs. hvb. hvr.", "[A-Za-z0-9_-]{24,200}",
          "{W90}"),
    _rule("grafana-token", "a Grafana token", "glsa_ glc_", "[A-Za-z0-9_+/=]{32,200}", "{A40}"),
    _rule("sentry-token", "a Sentry token", "sntrys_ sntryu_", "[A-Za-z0-9_=+/-]{40,300}",
          "{A64}"),
    _rule("linear-key", "a Linear key", "lin_api_", "[A-Za-z0-9]{40}", "{A40}"),
    _rule("notion-token", "a Notion token", "ntn_", "[A-Za-z0-9]{40,60}", "{A46}"),
    _rule("shopify-token", "a Shopify token", "shpat_ shpss_ shpca_ shppa_",
          "[a-fA-F0-9]{32}", "{h32}"),
    _rule("newrelic-key", "a New Relic key", "NRAK-", "[A-Z0-9]{27}", "{U27}"),
    _rule("postman-key", "a Postman key", "PMAK-", f"[{_HEX}]{{24}}-[{_HEX}]{{34}}",
          "{h24}-{h34}"),
    _rule("figma-token", "a Figma token", "figd_", "[A-Za-z0-9_-]{40}", "{W40}"),
    _rule("age-key", "an age identity", "AGE-SECRET-KEY-1", "[A-Z0-9]{58}", "{U58}"),
    _rule("discord-webhook", "the address of a Discord webhook", "discord.com/api/webhooks/",
          "[0-9]{17,20}/[A-Za-z0-9_-]{60,80}", "{d18}/{W68}"),
)  # fmt: skip
