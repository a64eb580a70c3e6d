"""Events about images that nobody waits for."""

import re

from policies.model.shape import dig, mapping, sequence, texts
from policies.model.system import System
from policies.model.updater import references
from policies.rule import Found

ID = "SHIP20"
TITLE = "The event rule for pushes does not wait for the image that Image Updater tracks"
WHY = "A release is then found by the two-minute poll only; or the webhook is called for images that it ignores."
FIX = "Let the rule's pattern have repository-name [eks-app], the tracked image, and image-tag with prefix v."
_UPDATER = """\
apiVersion: argocd-image-updater.argoproj.io/v1alpha1
kind: ImageUpdater
metadata: {name: main, namespace: argocd}
spec: {applicationRefs: [{namePattern: main, images: [{imageName: registry.example/eks-app}]}]}
"""
_TEMPLATE = """\
Resources:
  Pushed:
    Type: AWS::Events::Rule
    Properties:
      EventPattern:
        source: [aws.ecr]
        detail: {action-type: [PUSH], result: [SUCCESS], repository-name: [eks-app], image-tag: [{prefix: v}]}
"""
GOOD = {"rendered/local/gitops/updater": _UPDATER, "infra/templates/events.yaml": _TEMPLATE}
BAD = {**GOOD, "infra/templates/events.yaml": _TEMPLATE.replace("[eks-app]", "[eks-web]")}


def check(system: System) -> Found:
    """Compare the pattern with what is tracked, and the target's URL with the webhook."""
    for environment in system.environments:
        tracked = {image.name.rpartition("/")[2] for each in references(environment) for image in each.images}
        for rule in environment.infra.of("AWS::Events::Rule"):
            pattern = mapping(rule.properties.get("EventPattern"))
            if "aws.ecr" not in texts(pattern.get("source")) or not tracked:
                continue
            names = set(texts(dig(pattern, "detail", "repository-name")))
            if names != tracked:
                place = rule.at("EventPattern", "detail", "repository-name")
                yield (
                    place,
                    f"it waits for {', '.join(sorted(names)) or 'every image'}, tracked is {', '.join(sorted(tracked))}",
                )
            for field, wanted in (("action-type", "PUSH"), ("result", "SUCCESS")):
                if texts(dig(pattern, "detail", field)) != [wanted]:
                    yield rule.at("EventPattern", "detail", field), f"{field} is not [{wanted}]"
            tags = sequence(dig(pattern, "detail", "image-tag"))
            if tags and not any(_accepts(tag, "v1.2.3") for tag in tags):
                yield rule.at("EventPattern", "detail", "image-tag"), "it does not wait for v1.2.3"
        for destination in environment.infra.of("AWS::Events::ApiDestination"):
            url = str(destination.properties.get("InvocationEndpoint"))
            if not re.search(r"/webhook\?type=cloudevents$", url):
                yield destination.at("InvocationEndpoint"), f"{url} is not Image Updater's webhook"


def _accepts(pattern: object, tag: str) -> bool:
    if isinstance(pattern, str):
        return pattern == tag
    return tag.startswith(str(mapping(pattern).get("prefix", "\0")))
