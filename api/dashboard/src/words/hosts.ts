/** Texts about the hosts that an agent may reach. */
export const HOSTS = {
  "field.egress": { en: "Hosts", ko: "접속할 호스트" },
  "hosts.add": { en: "Add a host", ko: "호스트 추가" },
  "hosts.hint": {
    en: "External hosts that runs may reach: a domain, *.domain, an IP address or a range (CIDR). On a cluster that enforces it, they reach no others.",
    ko: "실행이 접속할 수 있는 외부 호스트입니다. 도메인, *.도메인, IP 주소 또는 대역(CIDR)을 적으세요. 이를 적용하는 클러스터에서는 다른 곳에 접속할 수 없습니다.",
  },
  "hosts.host": { en: "Host", ko: "호스트" },
  "hosts.ports": { en: "Ports", ko: "포트" },
  "hosts.twice": { en: "Listed twice", ko: "두 번 적혀 있습니다" },
} as const;
