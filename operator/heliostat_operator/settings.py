"""Settings of the operator: environment variables HELIOSTAT_OPERATOR_*, checked once at start."""

from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from heliostat_core.environment import (
    KeepSeconds,
    NetworkText,
    OtlpEndpoint,
    RefreshSeconds,
    read_words,
)
from heliostat_core.secret_refs import SecretName
from heliostat_operator.model.peers import check_peer


class KeptSecret(BaseModel):
    """A Secret, and the key that holds its random value."""

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")]
    key: Annotated[str, Field(pattern=r"^[-._a-zA-Z0-9]{1,253}$")]


def _read_kept(given: object) -> object:
    """`NAME:KEY, NAME:KEY`: easier to write in an environment than JSON."""
    if not isinstance(given, str):
        return given
    pairs = [each.partition(":") for each in given.replace(",", " ").split()]
    return [{"name": name, "key": key} for name, _, key in pairs]


Peers = Annotated[
    tuple[Annotated[str, AfterValidator(check_peer)], ...], NoDecode, BeforeValidator(read_words)
]
Networks = Annotated[tuple[NetworkText, ...], NoDecode, BeforeValidator(read_words)]

PREFIX: Final = "HELIOSTAT_OPERATOR_"
FILE_BYTES: Final = 20 * 2**20
FILES_BYTES: Final = 100 * 2**20
"""The runner's own bounds."""


class OperatorSettings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", populate_by_name=True
    )

    namespace: Annotated[
        str, Field(description="Namespace of the operator's own objects: Lease, signing keys.")
    ] = "heliostat-system"
    identity: Annotated[
        str, Field(description="Name of this replica in the Lease; the pod's name when empty.")
    ] = ""
    gateway_url: Annotated[
        str, Field(description="Where the operator and the pods reach the gateway.")
    ] = "http://heliostat-gateway.heliostat-system:8081"
    api_url: Annotated[
        str,
        Field(
            pattern=r"^(https?://\S+)?$",
            description="Where pods deliver their transcript, and who records finished Executions; "
            "empty: nobody.",
        ),
    ] = ""
    delivery_seconds: Annotated[
        int,
        Field(ge=0, le=3600, description="How long a run's end waits until the api has it all."),
    ] = 60
    file_bytes: Annotated[
        int,
        Field(
            ge=1,
            description="Bytes that a file may have that a run delivers; the api takes no more "
            "than its HELIOSTAT_API_FILE_BYTES.",
        ),
    ] = FILE_BYTES
    files_bytes: Annotated[
        int,
        Field(
            ge=1,
            description="Bytes that all files that a run delivers may have; the api takes no more "
            "than its HELIOSTAT_API_FILES_BYTES.",
        ),
    ] = FILES_BYTES
    recording_seconds: Annotated[
        int,
        Field(
            ge=0,
            description="A finished Execution that the api has not recorded after so long is "
            "cleaned away all the same.",
        ),
    ] = 86400
    workspace_image: Annotated[str, Field(description="Image of a run whose Agent names none.")] = (
        "heliostat-workspace:dev"
    )
    image: Annotated[str, Field(description="Its own image, which the pods of CronJobs run.")] = (
        "heliostat-operator:dev"
    )
    cloud_scheduler_location: Annotated[
        str,
        Field(
            pattern=r"^(projects/[^/\s]+/locations/[^/\s]+)?$",
            description="Where Google's Cloud Scheduler keeps the jobs of the trigger "
            "CloudScheduler, `projects/P/locations/L`; empty: this trigger is not at hand.",
        ),
    ] = ""
    cloud_scheduler_target: Annotated[
        str,
        Field(
            pattern=r"^(https?://[^\s/]+)?$",
            description="The api as Cloud Scheduler reaches it, `https://agents.example`.",
        ),
    ] = ""
    cloud_scheduler_audience: Annotated[
        str,
        Field(
            description="Audience of its tokens; empty: the target. Behind Google's Identity-Aware "
            "Proxy the id of the proxy's OAuth client, or it lets no call in.",
        ),
    ] = ""
    cloud_scheduler_account: Annotated[
        str,
        Field(description="Service account, by its e-mail address, as which it calls the api."),
    ] = ""
    cloud_scheduler_endpoint: Annotated[
        str, Field(min_length=1, description="Cloud Scheduler's own API, for a private endpoint.")
    ] = "cloudscheduler.googleapis.com"
    max_concurrent_executions: Annotated[
        int,
        Field(
            ge=1,
            description="Executions that run or start at once, over all Agents. Those whose pods "
            "can't start are not counted.",
        ),
    ] = 100
    max_concurrent_per_namespace: Annotated[
        int,
        Field(
            ge=0,
            description="Of these, how many one namespace may have; as many again, or ten, may "
            "wait with pods that can't start. 0: three quarters, so that others find room at once.",
        ),
    ] = 0
    workers: Annotated[int, Field(ge=1, le=256, description="Reconciles at once.")] = 16
    resync_seconds: Annotated[
        float, Field(gt=0, description="Every object is looked at again after so long.")
    ] = 300
    aging_seconds: Annotated[
        float, Field(gt=0, description="Waiting so long raises an Execution's priority by one.")
    ] = 300
    retry_first_seconds: Annotated[
        float, Field(gt=0, description="First wait after the infrastructure broke an attempt.")
    ] = 1
    retry_longest_seconds: Annotated[
        float, Field(gt=0, description="Longest wait after the infrastructure broke an attempt.")
    ] = 60
    hold_first_seconds: Annotated[
        float, Field(gt=0, description="First wait after an attempt failed by configuration.")
    ] = 30
    hold_longest_seconds: Annotated[
        float, Field(gt=0, description="Longest wait after an attempt failed by configuration.")
    ] = 600
    key_slack_seconds: Annotated[
        int, Field(ge=60, description="Time for queue and pull that an execution key outlives.")
    ] = 86400
    usage_seconds: Annotated[
        float, Field(gt=0, description="How often the cost of a running Execution is read.")
    ] = 15
    lease_seconds: Annotated[
        int, Field(ge=3, description="A leader that does not renew for so long is replaced.")
    ] = 15
    canary_seconds: Annotated[
        float, Field(gt=0, description="The operator ends when its watch is silent for so long.")
    ] = 60
    approvals_mode: Annotated[
        Literal["Observe", "Enforce"],
        Field(
            description="What happens to Agents without `spec.approvals`: Enforce holds their runs "
            "to the defaults, Observe only notes what would have been asked."
        ),
    ] = "Observe"
    kept_secrets: Annotated[
        tuple[KeptSecret, ...],
        NoDecode,
        BeforeValidator(_read_kept),
        Field(
            description="Secrets of its own namespace that it makes with a random value where they "
            "are missing, and never changes: `NAME:KEY`, separated by commas. A key `*.pem` gets "
            "an Ed25519 private key, any other 256 random bits as text."
        ),
    ] = ()
    secret_manager_endpoint: Annotated[
        str,
        Field(
            pattern=r"^([a-z0-9][-a-z0-9.]*(:[0-9]{1,5})?)?$",
            description="Google's Secret Manager, `secretmanager.googleapis.com`, whose secrets "
            "Agents may then name; empty: none.",
        ),
    ] = ""
    secret_refresh_seconds: RefreshSeconds = 60
    secret_keep_seconds: KeepSeconds = 3600
    gateway_secrets: Annotated[
        tuple[SecretName, ...],
        NoDecode,
        BeforeValidator(read_words),
        Field(
            description="Secrets of Secret Manager that the gateway uses, "
            "`projects/PROJECT/secrets/SECRET` without a version, separated by commas: no agent "
            "gets one of such an id."
        ),
    ] = ()
    otlp_endpoint: OtlpEndpoint = ""
    network_policies: Annotated[
        bool,
        Field(
            description="Whether it closes the network of runs by NetworkPolicies. They hold where "
            "the cluster's network enforces them."
        ),
    ] = False
    network_services: Annotated[
        Peers,
        Field(
            description="Pods that every run may reach, the gateway and the api: "
            "`NAMESPACE/LABEL=VALUE:PORT` (the pod's port) or `CIDR:PORT`, separated by commas."
        ),
    ] = (
        "heliostat-system/app.kubernetes.io/name=heliostat-gateway:8081",
        "heliostat-system/app.kubernetes.io/name=heliostat-api:8080",
    )
    network_dns: Annotated[
        Peers,
        Field(
            description="Where names are looked up, in the same form; `NAMESPACE:PORT` is every "
            "pod of it. The addresses are NodeLocal DNS and GKE's Cloud DNS."
        ),
    ] = ("kube-system:53", "169.254.20.10/32:53", "169.254.169.254/32:53")
    network_never: Annotated[
        Networks,
        Field(
            description="CIDRs that no run reaches even if its Agent names them, beside link-local "
            "addresses and the Kubernetes API."
        ),
    ] = ()
    network_domains: Annotated[
        Literal["Auto", "FQDNNetworkPolicy", "CiliumNetworkPolicy", "Proxy"],
        Field(
            description="How domains of `workspace.egress` are opened: by GKE's or Cilium's "
            "policies, or through the egress proxy. Auto: the first that the cluster knows."
        ),
    ] = "Auto"
    egress_proxy: Annotated[
        Peers,
        Field(description="The egress proxy's pods, in the form of the other peers."),
    ] = ("heliostat-system/app.kubernetes.io/name=heliostat-egress:3128",)
    egress_proxy_url: Annotated[
        str,
        Field(
            pattern=r"^(http://[^\s/@]+)?$",
            description="Where runs reach the egress proxy, without a path; empty: there is none.",
        ),
    ] = ""
    port: Annotated[int, Field(ge=0, le=65535, description="Port of /healthz and /metrics.")] = 8080

    @property
    def namespace_limit(self) -> int:
        """Executions of one namespace at once."""
        return self.max_concurrent_per_namespace or max(1, self.max_concurrent_executions * 3 // 4)

    @model_validator(mode="after")
    def _check_cloud_scheduler(self) -> Self:
        parts = (
            self.cloud_scheduler_location,
            self.cloud_scheduler_target,
            self.cloud_scheduler_account,
        )
        if any(parts) and not all(parts):
            raise ValueError(
                "cloud_scheduler_location, cloud_scheduler_target and cloud_scheduler_account "
                "belong together: set all three"
            )
        return self


def known_settings() -> frozenset[str]:
    """Names of our variables."""
    fields = OperatorSettings.model_fields.items()
    return frozenset(
        f"{PREFIX}{name}".upper() for name, field in fields if not field.validation_alias
    )
