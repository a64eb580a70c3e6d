# The product's three images, built in parallel:
#   cd app && REGISTRY=... VERSION=v1.2.3 REVISION=$(git rev-parse HEAD) SCHEMA_HEAD=0001 docker buildx bake
# Contexts are relative to the working directory, so it is run in this folder.

variable "REGISTRY" { default = "localhost" }
variable "VERSION" { default = "v0.0.0" }
variable "REVISION" { default = "unknown" }
# The one Alembic head of the source (ci/schema.py computes it).
variable "SCHEMA_HEAD" { default = "" }

# Files on the building machine, never part of an image; empty where they are not needed.
variable "CA_BUNDLE" { default = "" }
variable "PIP_CONFIG" { default = "" }

# Published images whose layers are taken over where their steps are the same, comma-separated; and `type=inline` for
# images that say of which steps their layers are (ci/layercache.py).
variable "CACHE_FROM" { default = "" }
variable "CACHE_TO" { default = "" }

group "default" {
  targets = ["eks-migration", "eks-web", "eks-app"]
}

target "common" {
  args = {
    VERSION  = VERSION
    REVISION = REVISION
  }
  # Each of all three: a stage that one of them keeps, such as `python`, is a mere step on the way in another.
  cache-from = [for image in compact(split(",", CACHE_FROM)) : "type=registry,ref=${image}"]
  cache-to   = compact([CACHE_TO])
}

target "python" {
  inherits = ["common"]
  args = {
    SCHEMA_HEAD = SCHEMA_HEAD
  }
  secret = compact([
    CA_BUNDLE == "" ? "" : "id=ca,src=${CA_BUNDLE}",
    PIP_CONFIG == "" ? "" : "id=pip,src=${PIP_CONFIG}",
  ])
}

target "eks-app" {
  inherits = ["python"]
  context  = "."
  tags     = ["${REGISTRY}/eks-app:${VERSION}"]
}

target "eks-migration" {
  inherits = ["python"]
  context  = "migration"
  tags     = ["${REGISTRY}/eks-migration:${VERSION}"]
}

target "eks-web" {
  inherits = ["common"]
  context  = "web"
  tags     = ["${REGISTRY}/eks-web:${VERSION}"]
}
