import Core
import HTTP1
import TLS

/// Header fields about the client's TLS connection. Source: docs/elbv2.md, "Listener attributes" and "Client
/// certificates".
extension Worker {
    /// Removes the fields that a client has sent under names by which Apus tells targets something (spoofing), so that
    /// rules do not see them either. X-Forwarded-For and X-Amzn-Trace-Id are continued and so stay.
    func removeSpoofedFields(_ request: Head, _ listener: WorkerListener) {
        request.removeSpoofedFields(ownNames: listener.ownFieldNames)
    }

    /// Sets the configured fields.
    mutating func setTLSFields(_ request: Head, _ client: ClientSide) {
        let listener = client.listener
        guard let tls = client.tls else { return }
        // Copying the names retains each of them.
        guard listener.settings.tellsTLS || listener.settings.tellsKeyExchange || tls.authentication != .off else {
            return
        }
        let names = listener.settings.fieldNames
        if listener.settings.tellsTLS {
            add(names.version, tls.versionName, request)
            add(names.cipherSuite, tls.cipherName, request)
        }
        // A session up to TLS 1.2 that was resumed has none.
        if listener.settings.tellsKeyExchange, !tls.keyExchangeName.isEmpty {
            let field = request.beginField("X-Amzn-Tls-Kx")
            request.append(tls.keyExchangeName)
            request.endField(field, id: .xAmznTLS)
        }
        guard tls.authentication != .off, let certificate = clientCertificate(of: tls) else { return }
        if tls.authentication == .passthrough {
            return add(names.certificate, certificate.chain.span, request)
        }
        add(names.serialNumber, certificate.serialNumber.span, request)
        add(names.issuer, certificate.issuer.span, request)
        add(names.subject, certificate.subject.span, request)
        add(names.validity, certificate.validity.span, request)
        add(names.leaf, certificate.leaf.span, request)
    }

    /// What a client has shown, which stays in memory with its connection and is charged to it.
    mutating func clientCertificate(of tls: TLSSession) -> ClientCertificate? {
        let before = tls.heldByteCount
        defer { resources.buffers.charge(tls.heldByteCount - before) }
        return tls.clientCertificate
    }

    private func add(_ name: [UInt8], _ value: Span<UInt8>, _ request: Head) {
        // Names may hold bytes that would break the line, as a certificate's subject may hold anything.
        let room = Core.Limits.largeBufferBytes - requestHeadByteCount(request)
        guard name.count + value.count + 4 + Limits.fieldRoomBytes <= room else { return }
        let field = request.beginField(name.span)
        for index in 0..<value.count {
            let byte = value[index]
            request.append(byte < 0x20 || byte == 0x7F ? 0x3F : byte)
        }
        request.endField(field, id: .xAmznTLS)
    }
}

extension Head {
    /// See `Worker.removeSpoofedFields`; `ownNames` are those that differ from the defaults.
    func removeSpoofedFields(ownNames: [[UInt8]]) {
        removeFields(.xForwardedProto)
        removeFields(.xForwardedPort)
        removeFields(.xAmznTLS)
        for name in ownNames {
            for index in 0..<fieldCount where !field(index).isRemoved {
                if bytes(field(index).name).isSameCGIVariable(as: name.span) { removeField(index) }
            }
        }
    }
}
