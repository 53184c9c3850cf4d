/** How the keys and tokens of services look, as the services say themselves; named as gitleaks (MIT) names its rules. */

/** The units of which the rest of a token may be made. */
export const alphabets = {
  alnum: /[A-Za-z0-9]/,
  word: /[A-Za-z0-9_]/,
  url: /[A-Za-z0-9_-]/,
  base64: /[A-Za-z0-9+/=_-]/,
  dotted: /[A-Za-z0-9_.=-]/,
  hex: /[A-Fa-f0-9]/,
  upper: /[A-Z0-9]/,
} as const

export interface SecretFormat {
  readonly id: string
  /** How a token begins; none is the beginning of another. */
  readonly starts: readonly string[]
  readonly alphabet: keyof typeof alphabets
  /** Units after the start, at least; with `exact`, neither more. */
  readonly length: number
  /** Where the start alone is too short to say what it is. */
  readonly exact?: true
}

const format = (
  id: string,
  starts: string,
  alphabet: SecretFormat['alphabet'],
  length: number,
): SecretFormat => ({
  id,
  starts: starts.split(' '),
  alphabet,
  length,
})

const exactly = (
  id: string,
  starts: string,
  alphabet: SecretFormat['alphabet'],
  length: number,
): SecretFormat => ({
  ...format(id, starts, alphabet, length),
  exact: true,
})

export const secretFormats: readonly SecretFormat[] = [
  format('1password-service-account-token', 'ops_eyJ', 'base64', 100),
  exactly('adobe-client-secret', 'p8e-', 'alnum', 32),
  format('age-secret-key', 'AGE-SECRET-KEY-1', 'upper', 58),
  exactly('alibaba-access-key-id', 'LTAI', 'alnum', 20),
  format('anthropic-api-key', 'sk-ant-', 'url', 24),
  exactly('artifactory-api-key', 'AKCp', 'alnum', 69),
  format('atlassian-api-token', 'ATATT3', 'base64', 100),
  exactly('aws-access-token', 'AKIA ASIA ABIA ACCA', 'upper', 16),
  format('aws-bedrock-api-key', 'ABSKQmVkcm9ja0FQSUtleS', 'base64', 80),
  format('azure-storage-key', 'AccountKey=', 'base64', 80),
  format('clojars-api-token', 'CLOJARS_', 'alnum', 50),
  format('databricks-api-token', 'dapi', 'hex', 32),
  format('digitalocean-token', 'dop_v1_ doo_v1_ dor_v1_', 'hex', 64),
  format('docker-pat', 'dckr_pat_ dckr_oat_', 'url', 27),
  format('doppler-api-token', 'dp.pt. dp.st. dp.ct. dp.sa.', 'dotted', 40),
  format('dynatrace-api-token', 'dt0c01. dt0s01.', 'dotted', 60),
  format('easypost-api-token', 'EZAK EZTK', 'alnum', 54),
  format('figma-pat', 'figd_', 'url', 40),
  format('flutterwave-secret-key', 'FLWSECK_TEST- FLWSECK-', 'alnum', 12),
  format('fly-access-token', 'fo1_ fm1_ fm2_', 'base64', 40),
  format('frameio-api-token', 'fio-u-', 'base64', 64),
  exactly('gcp-api-key', 'AIza', 'url', 35),
  format('gcp-oauth-client-secret', 'GOCSPX-', 'url', 28),
  format('gcp-oauth-access-token', 'ya29.', 'dotted', 30),
  format('github-fine-grained-pat', 'github_pat_', 'word', 60),
  format('github-token', 'ghp_ gho_ ghu_ ghs_ ghr_', 'alnum', 36),
  format(
    'gitlab-token',
    'glpat- gldt- glrt- glcbt- glptt- glft- glimt- glagent- glsoat- gloas- glffct- GR1348941',
    'dotted',
    20,
  ),
  format('grafana-token', 'glc_ glsa_', 'base64', 32),
  format('groq-api-key', 'gsk_', 'alnum', 48),
  format('heroku-api-key', 'HRKU-AA', 'url', 50),
  format('hubspot-token', 'pat-na1- pat-eu1-', 'url', 32),
  format('huggingface-token', 'hf_ api_org_', 'alnum', 34),
  format('linear-api-key', 'lin_api_ lin_oauth_', 'alnum', 32),
  format('mailgun-key', 'key-', 'hex', 32),
  format('mongodb-atlas-key', 'mdb_sa_sk_', 'url', 36),
  format('new-relic-key', 'NRAK- NRAA- NRII- NRJS-', 'url', 19),
  format('notion-api-token', 'ntn_', 'alnum', 40),
  format('npm-access-token', 'npm_', 'alnum', 36),
  format('nuget-api-key', 'oy2', 'alnum', 43),
  format('openai-api-key', 'sk-proj- sk-svcacct- sk-admin- sk-or-v1-', 'url', 40),
  format('perplexity-api-key', 'pplx-', 'alnum', 40),
  format('planetscale-token', 'pscale_tkn_ pscale_pw_ pscale_oauth_', 'dotted', 32),
  format('postman-api-token', 'PMAK-', 'url', 59),
  format('pulumi-api-token', 'pul-', 'hex', 40),
  format('pypi-upload-token', 'pypi-AgE', 'url', 50),
  format('replicate-api-token', 'r8_', 'alnum', 37),
  format('rubygems-api-token', 'rubygems_', 'hex', 48),
  format('sendgrid-api-token', 'SG.', 'dotted', 60),
  format('sendinblue-api-token', 'xkeysib-', 'url', 64),
  format('sentry-token', 'sntrys_ sntryu_', 'base64', 40),
  format('shippo-api-token', 'shippo_live_ shippo_test_', 'hex', 40),
  format('shopify-token', 'shpat_ shpca_ shppa_ shpss_', 'hex', 32),
  format('slack-token', 'xoxb- xoxp- xoxa- xoxo- xoxr- xoxs- xoxe. xoxe- xapp-', 'dotted', 20),
  format('slack-webhook-url', 'hooks.slack.com/services/', 'base64', 40),
  format('square-access-token', 'sq0atp- sq0csp-', 'url', 22),
  format('stripe-access-token', 'sk_live_ sk_test_ sk_prod_ rk_live_ rk_test_ rk_prod_', 'alnum', 10),
  format('stripe-webhook-secret', 'whsec_', 'base64', 32),
  format('supabase-token', 'sbp_ sb_secret_', 'word', 31),
  exactly('twilio-api-key', 'SK', 'hex', 32),
  format('vault-token', 'hvs. hvb. hvr.', 'url', 90),
  format('vercel-token', 'vcp_ vci_ vca_ vcr_ vck_', 'alnum', 20),
  format('xai-api-key', 'xai-', 'alnum', 60),
]
