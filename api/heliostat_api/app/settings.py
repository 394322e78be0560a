"""Settings of the api: environment variables HELIOSTAT_API_*, checked once at start."""

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from heliostat_api.app.setting_types import (
    Address,
    Hosts,
    Networks,
    Words,
    check_origin,
    check_redis,
    check_webhook_secret,
)
from heliostat_api.base.roles import RoleRow
from heliostat_api.documents.files import FILE_BYTES, FILES_BYTES
from heliostat_api.events.log import MOST_BYTES, TOTAL_BYTES
from heliostat_api.webhooks.addresses import place_of
from heliostat_core.environment import (
    OtlpEndpoint,
)

PREFIX: Final = "HELIOSTAT_API_"
TRANSCRIPT_BYTES: Final = 256 * 2**20


class ApiSettings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", populate_by_name=True
    )

    host: Annotated[str, Field(description="Address to listen on.")] = "0.0.0.0"
    port: Annotated[int, Field(ge=0, le=65535, description="Port to listen on.")] = 8080
    namespace: Annotated[
        str, Field(description="Namespace of the agents that are made in the dashboard.")
    ] = "heliostat-agents"
    data_dir: Annotated[
        Path,
        Field(
            description="Folder of what it keeps by itself: documents and events in SQLite, and "
            "the secret of sessions where none is given."
        ),
    ] = Path("data")
    keys_dir: Annotated[
        Path, Field(description="Folder with the operator's public keys, by which runs deliver.")
    ] = Path("keys")
    token_audience: Annotated[
        str,
        Field(
            description="Audience of service-account tokens with which runs' pods may deliver, "
            "beside their execution keys; empty: with these alone."
        ),
    ] = "heliostat-api"
    store: Annotated[
        Literal["sqlite", "firestore"],
        Field(description="Where documents are kept: a file of the data folder, or Firestore."),
    ] = "sqlite"
    google_cloud_project: Annotated[
        str,
        Field(
            validation_alias="GOOGLE_CLOUD_PROJECT", description="Project of the Firestore store."
        ),
    ] = ""
    firestore_database: Annotated[str, Field(description="Database of the Firestore store.")] = (
        "(default)"
    )
    firestore_emulator: Annotated[
        str,
        Field(
            validation_alias="FIRESTORE_EMULATOR_HOST",
            description="Firestore's emulator, as `host:port`, for trials.",
        ),
    ] = ""
    drain_seconds: Annotated[
        int,
        Field(
            ge=1,
            le=3600,
            description="Seconds for which requests that are under way may go on after SIGTERM; "
            "streams end at once.",
        ),
    ] = 5
    otlp_endpoint: OtlpEndpoint = ""
    redis_url: Annotated[
        SecretStr,
        AfterValidator(check_redis),
        Field(
            validation_alias="REDIS_URL",
            description="Redis of the event log and of the limits of requests, for several "
            "replicas; empty: SQLite in the data folder, and each counts for itself.",
        ),
    ] = SecretStr("")
    events_bytes: Annotated[
        int,
        Field(
            ge=2**20,
            description="Bytes of reports that are kept for each audience of the event log.",
        ),
    ] = MOST_BYTES
    events_total_bytes: Annotated[
        int,
        Field(
            ge=2**20,
            description="Bytes that all audiences of the event log keep together; beyond them, "
            "those that were silent for longest are dropped, and who comes back to one gets a new "
            "snapshot. Redis is the gateway's too: leave it half.",
        ),
    ] = TOTAL_BYTES
    transcript_bytes: Annotated[
        int,
        Field(
            ge=0,
            description="Bytes that are kept of an attempt's transcript; what comes after is "
            "marked as lost. 0: no bound.",
        ),
    ] = TRANSCRIPT_BYTES
    file_bytes: Annotated[
        int,
        Field(
            ge=0,
            description="Bytes that one file of a run may have to be kept. The operator's "
            "HELIOSTAT_OPERATOR_FILE_BYTES says how large a file a run delivers.",
        ),
    ] = FILE_BYTES
    files_bytes: Annotated[
        int,
        Field(
            ge=0,
            description="Bytes that all files of a run may have together. The operator's "
            "HELIOSTAT_OPERATOR_FILES_BYTES says how many a run delivers.",
        ),
    ] = FILES_BYTES
    images: Annotated[
        Words,
        Field(
            description="Images that agents made here may name, separated by commas; `*` stands "
            "for any text: `registry.example/team/*`. Empty: none but the operator's own."
        ),
    ] = ()
    allowed_hosts: Annotated[
        Hosts,
        Field(
            description="Hosts that agents made here may name in workspace.egress, separated by "
            "commas: a domain, `*.domain` for all names below it, an IP address, a CIDR, or `*` "
            "for any. Empty: none."
        ),
    ] = ()
    allowed_secrets: Annotated[
        Words,
        Field(
            description="Secrets of Google's Secret Manager that agents made here may name, "
            "separated by commas; `*` stands for any text: `projects/acme/secrets/team-*`. Empty: "
            "none; a person's own secrets are always allowed."
        ),
    ] = ()
    network_policies: Annotated[
        bool,
        Field(
            description="Whether the cluster keeps runs to the hosts that they name: what an agent "
            "may touch is those hosts alone then. Set it where NetworkPolicies are enforced."
        ),
    ] = False
    public_url: Annotated[
        Address,
        AfterValidator(check_origin),
        Field(
            description="Where browsers find this server, `https://agents.example`: pages of this "
            "origin may command it, and sign-in comes back to it."
        ),
    ] = ""
    hosts: Annotated[
        Words,
        Field(
            description="Names that it answers to, separated by commas; empty: any. Probes and "
            "runs that deliver are always answered."
        ),
    ] = ()
    trusted_proxies: Annotated[
        Networks,
        Field(
            description="Networks of the proxies whose `X-Forwarded-Proto` and `X-Forwarded-For` "
            "are believed, separated by commas."
        ),
    ] = ()
    session_secrets_file: Annotated[
        Path | None,
        Field(
            description="File with the secret that signs sessions, 32 characters or more; a second "
            "line holds one that is still believed (people.md)."
        ),
    ] = None
    guests: Annotated[
        bool, Field(description="Whether whoever opens the first page may stay as a guest.")
    ] = True
    oidc_issuer: Annotated[
        Address, Field(description="Issuer of the OpenID Connect provider; empty: no sign-in.")
    ] = ""
    oidc_client_id: Annotated[str, Field(description="Our id at that provider.")] = ""
    oidc_client_secret: Annotated[
        SecretStr, Field(description="Our secret at that provider; none for a public client.")
    ] = SecretStr("")
    oidc_scopes: Annotated[Words, Field(description="What is asked of it beside `openid`.")] = (
        "email",
        "profile",
    )
    oidc_groups_claim: Annotated[
        str, Field(description="Claim of its ID token that names a person's groups.")
    ] = "groups"
    iap_audience: Annotated[
        str,
        Field(
            description="Audience of Google's Identity-Aware Proxy, `/projects/...`; its header is "
            "ignored where this is empty."
        ),
    ] = ""
    iap_keys_url: Annotated[Address, Field(description="Where that proxy's public keys are.")] = (
        "https://www.gstatic.com/iap/verify/public_key-jwk"
    )
    cloud_scheduler_account: Annotated[
        str,
        Field(
            description="Service account, by its e-mail address, whose calls of Google's Cloud "
            "Scheduler start runs; empty: nobody's."
        ),
    ] = ""
    cloud_scheduler_audience: Annotated[
        str,
        Field(
            description="Audience of its OIDC tokens: the operator's "
            "HELIOSTAT_OPERATOR_CLOUD_SCHEDULER_AUDIENCE or, where that is empty, its "
            "HELIOSTAT_OPERATOR_CLOUD_SCHEDULER_TARGET."
        ),
    ] = ""
    cloud_scheduler_keys_url: Annotated[
        Address, Field(description="Where Google's public keys of such tokens are.")
    ] = "https://www.googleapis.com/oauth2/v3/certs"
    roles: Annotated[
        tuple[RoleRow, ...],
        Field(
            description='JSON list of who has which role: `[{"group": "ops", "role": "operator", '
            '"namespaces": ["team-a"]}, {"email": "ann@example.com", "role": "admin"}]`.'
        ),
    ] = ()
    unlisted: Annotated[
        Literal["user", "refused"],
        Field(description="What somebody is who signs in and fits no row of the roles."),
    ] = "user"
    limit_guest: Annotated[
        int, Field(ge=0, description="Requests a minute of one guest; 0: no limit.")
    ] = 120
    limit_person: Annotated[
        int, Field(ge=0, description="Requests a minute of one person; 0: no limit.")
    ] = 600
    limit_address: Annotated[
        int,
        Field(
            ge=0,
            description="Requests a minute from one address (IPv6: one /64), whoever they are; "
            "0: no limit.",
        ),
    ] = 6000

    webhook_url: Annotated[
        str,
        Field(
            description="Who is told of every agent that failed, was paused or missed a time "
            "(webhooks.md); empty: those that people name."
        ),
    ] = ""
    webhook_secret: Annotated[
        SecretStr,
        AfterValidator(check_webhook_secret),
        Field(description="The secret that signs what is sent there: `whsec_` and base64."),
    ] = SecretStr("")
    webhook_networks: Annotated[
        Networks,
        Field(
            description="Networks that webhooks may call beside the internet, separated by commas: "
            "`10.0.0.0/8`."
        ),
    ] = ()

    gateway_url: Annotated[
        Address, Field(description="Where the gateway is; empty: there is none, and so no cap.")
    ] = ""
    reports_url: Annotated[
        Address,
        Field(
            description="Where the gateway's reports are, if not there: the writer of a shared "
            "ledger."
        ),
    ] = ""
    signing_key_file: Annotated[
        Path | None,
        Field(
            description="File with the api's own Ed25519 private key (PEM), which replicas share; "
            "empty: one of its own in the data folder."
        ),
    ] = None
    public_key_map: Annotated[
        str,
        Field(
            pattern=r"^([-a-z0-9]+/[-a-z0-9.]+)?$",
            description="ConfigMap, `namespace/name`, in which the gateway finds the public half; "
            "empty: somebody else puts it there.",
        ),
    ] = ""
    guest_daily_micros: Annotated[
        int,
        Field(ge=0, le=2**43, description="Micro-dollars a day (UTC) of one guest; 0: no cap."),
    ] = 500_000
    guests_daily_micros: Annotated[
        int,
        Field(
            ge=0,
            le=2**43,
            description="Micro-dollars a day (UTC) of all guests together; 0: no cap.",
        ),
    ] = 5_000_000
    person_daily_micros: Annotated[
        int,
        Field(
            ge=0,
            le=2**43,
            description="Micro-dollars a day (UTC) of one person who signed in; 0: no cap.",
        ),
    ] = 0
    chat_model: Annotated[
        str,
        Field(
            description="Model that answers in the chat; empty: the usual one, or the script "
            "`scripted/designer` where the gateway has no key for it."
        ),
    ] = ""

    chat_test_seconds: Annotated[
        int,
        Field(ge=0, description="Seconds that an answer in the chat waits for a test run's end."),
    ] = 120
    runs_guest: Annotated[
        int, Field(ge=0, description="Runs of one guest that are under way at once; 0: no limit.")
    ] = 3
    runs_person: Annotated[
        int, Field(ge=0, description="Runs of one person that are under way at once; 0: no limit.")
    ] = 0
    schedules_guest: Annotated[
        int,
        Field(
            ge=0, description="Active agents with a schedule that one guest may have; 0: no limit."
        ),
    ] = 3
    schedules_person: Annotated[
        int,
        Field(
            ge=0, description="Active agents with a schedule that one person may have; 0: no limit."
        ),
    ] = 0

    @model_validator(mode="after")
    def _check_store(self) -> Self:
        if self.store == "firestore" and not self.google_cloud_project:
            raise ValueError("store firestore needs GOOGLE_CLOUD_PROJECT")
        return self

    @model_validator(mode="after")
    def _check_cloud_scheduler(self) -> Self:
        if bool(self.cloud_scheduler_account) != bool(self.cloud_scheduler_audience):
            raise ValueError(
                "cloud_scheduler_account and cloud_scheduler_audience belong together: set both"
            )
        return self

    @model_validator(mode="after")
    def _check_webhook(self) -> Self:
        if bool(self.webhook_url) != bool(self.webhook_secret.get_secret_value()):
            raise ValueError("webhook_url and webhook_secret belong together: set both")
        if self.webhook_url:
            place_of(self.webhook_url)
        return self

    @model_validator(mode="after")
    def _check_ways_in(self) -> Self:
        if bool(self.oidc_issuer) != bool(self.oidc_client_id):
            raise ValueError("oidc_issuer and oidc_client_id belong together: set both")
        if self.oidc_issuer and not self.public_url:
            raise ValueError("oidc_issuer needs public_url: sign-in comes back to it")
        if not (self.guests or self.oidc_issuer or self.iap_audience):
            raise ValueError("nobody could enter: allow guests, or set oidc_issuer or iap_audience")
        return self


def known_settings() -> frozenset[str]:
    """Names of our variables with our prefix."""
    return frozenset(f"{PREFIX}{name}".upper() for name in ApiSettings.model_fields)
