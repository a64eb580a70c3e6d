"""ACM: certificates, validated by DNS."""

# ruff: noqa: D102 - an adapter's methods are Adapter's, and described there

from typing import Any

from botocore.exceptions import ClientError

from standin.cloudformation.fault import Failure

from .adapter import Adapter, Call, entries, present, retag, words


class Certificate(Adapter):
    """AWS::CertificateManager::Certificate.

    The validation records go into the zones that DomainValidationOptions name. As in AWS they stay there when the
    certificate is deleted, so a hosted zone of the same stack is not empty then.
    """

    type = "AWS::CertificateManager::Certificate"
    properties = words("DomainName SubjectAlternativeNames ValidationMethod DomainValidationOptions Tags")

    def create(self, call: Call) -> str:
        acm, wanted = call.client("acm"), call.properties
        if wanted.get("ValidationMethod", "EMAIL") != "DNS":
            raise Failure("Certificates that are validated by e-mail are not supported by Slipway's stand-in")
        arn = str(
            acm.request_certificate(
                ValidationMethod="DNS",
                Tags=entries(wanted.get("Tags")) or [{"Key": "Name", "Value": call.logical}],
                **call.pick("DomainName", "SubjectAlternativeNames"),
            )["CertificateArn"]
        )
        call.started(arn)
        zones = {
            option["DomainName"]: option.get("HostedZoneId")
            for option in wanted.get("DomainValidationOptions", [])
        }
        for option in acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]:
            if zones.get(option["DomainName"]):
                self._publish(call, zones[option["DomainName"]], option["ResourceRecord"])
        status = acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"]
        if status != "ISSUED":
            raise Failure(
                f"Certificate {arn} is {status}: its validation records are not in DNS. AWS would wait for them for "
                "hours; give every domain a HostedZoneId in DomainValidationOptions"
            )
        return arn

    def update(self, call: Call) -> None:
        acm = call.client("acm")
        retag(
            call,
            lambda tags: acm.add_tags_to_certificate(CertificateArn=call.physical, Tags=entries(tags)),
            lambda keys: acm.remove_tags_from_certificate(
                CertificateArn=call.physical, Tags=[{"Key": key} for key in keys]
            ),
        )

    def delete(self, call: Call) -> None:
        call.client("acm").delete_certificate(CertificateArn=call.physical)

    def read(self, call: Call) -> dict[str, Any] | None:
        acm = call.client("acm")
        try:
            found = acm.describe_certificate(CertificateArn=call.physical)["Certificate"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise
        names = [name for name in found["SubjectAlternativeNames"] if name != found["DomainName"]]
        wanted = call.properties.get("DomainValidationOptions")  # ACM does not tell zones back
        return present(
            {
                "CertificateArn": call.physical,
                "DomainName": found["DomainName"],
                "SubjectAlternativeNames": names,
                "DomainValidationOptions": wanted,
                "Tags": entries(acm.list_tags_for_certificate(CertificateArn=call.physical)["Tags"]),
            }
        )

    def _publish(self, call: Call, zone: str, record: dict[str, str]) -> None:
        records = {
            "Name": record["Name"],
            "Type": record["Type"],
            "TTL": 300,
            "ResourceRecords": [{"Value": record["Value"]}],
        }
        batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": records}]}
        call.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)


ADAPTERS: tuple[Adapter, ...] = (Certificate(),)
