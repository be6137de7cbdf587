# Oponn in an image of one file. Built by BuildKit, the default of today's
# Docker: docker build --build-arg VERSION=1.2.3 --tag oponn:1.2.3 .

# The scripts that pages load, as the lock file pins them.
FROM --platform=$BUILDPLATFORM node:24.15.0-alpine AS assets
WORKDIR /src/views
COPY views/package.json views/package-lock.json views/vendor.sh ./
RUN --mount=type=cache,target=/root/.npm sh vendor.sh

FROM --platform=$BUILDPLATFORM golang:1.26.8-alpine3.24 AS build
WORKDIR /src
# Modules first: they change less often than the code.
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
COPY --from=assets /src/views/static/vendor/ views/static/vendor/
ARG VERSION=
ARG TARGETOS
ARG TARGETARCH
# Nothing of C and no tables of symbols; panics keep their stacks. The image's
# context has no repository, so the version is told.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=false -ldflags "-s -w -X main.release=$VERSION" -o /out/oponn ./cmd/oponn
RUN mkdir /out/data

FROM scratch
# To trust who answers for AWS, Postgres and Redis.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/oponn /oponn
# Used in development only: SQLite, the key file, the secret.
COPY --from=build --chown=65532:65532 --chmod=0700 /out/data /data
ENV OPONN_DATA_DIR=/data
VOLUME /data
# A number, so that a platform can see that it isn't root.
USER 65532:65532
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
ENTRYPOINT ["/oponn"]
CMD ["serve"]
