internal import SslBackend
internal import SslValues

/// Certificates that were issued by fraud or mistake for the names of others, or whose authorities were broken into. They have all expired or been
/// revoked long ago; a client refuses them by itself all the same, for revocation lists do not reach every client.
///
/// The serial numbers were published with the incidents: Comodo's report of 2011-03-23, the reports of DigiNotar's break-in (2011), Digicert Sdn. Bhd.
/// (2011), TÜRKTRUST (2012), ANSSI (2013), NIC India (2014), and the MD5 collision of 2008 (phreedom.org). The list is the one Qt has.
enum FraudulentCertificates {
    /// True when a certificate is on the list: by its serial number, and a common name of the subject or the issuer.
    static func contains(_ fields: CertificateFields) -> Bool {
        let serial = hex(fields.serialNumber)
        guard let name = names[serial] else { return false }
        let attributes = (fields.subjectName?.attributes ?? []) + (fields.issuerName?.attributes ?? [])
        return attributes.contains { $0.oid == "2.5.4.3" && $0.value == name }
    }

    private static func hex(_ octets: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: octets.drop { $0 == 0 }.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// The common name by serial number, without leading zero octets of the number.
    private static let names: [String: String] = [
        // Comodo: nine certificates, bought through a broken-into reseller.
        "047ecbe9fca55f7bd09eae36e10cae1e": "mail.google.com",
        "f5c86af36162f13a64f54f6dc9587c06": "www.google.com",
        "d7558fdaf5f1105bb213282b707729a3": "login.yahoo.com",
        "392a434f0e07df1f8aa305de34e0c229": "login.yahoo.com",
        "3e75ced46b693021218830ae86a82a71": "login.yahoo.com",
        "e9028b9578e415dc1a710a2b88154447": "login.skype.com",
        "9239d5348f40d1695a745470e1f23f43": "addons.mozilla.org",
        "b0b7133ed096f9b56fae91c874bd3ac0": "login.live.com",
        "d8f35f4eb7872b2dab0692e315382fb0": "global trustee",
        // Comodo: a certificate that a test of the same breach left behind.
        "72032105c50c08573d8ea5304efee8b0": "UTN-USERFirst-Hardware",
        // DigiNotar: the certificate that was used against users, the roots, and the intermediates.
        "05e2e6a4cd09ea54d665b075fe22a256": "*.google.com",
        "0c76da9c910c4e2c9efe15d058933c4c": "DigiNotar Root CA",
        "f14a13f4872b56dc39df84ca7aa10649": "DigiNotar Services CA",
        "3616715543421b9de6cba36441df2438": "DigiNotar Services 1024 CA",
        "0a82bd1e144e8814d75b1a5527bebf3e": "DigiNotar Root CA G2",
        "a4b6cee32ed33546263cb3553aa89221": "CertiID Enterprise Certificate Authority",
        "5bd5609c641768cf210e35fdfb05ad41": "DigiNotar Qualified CA",
        "d6d02977f149fd1a83f2b9ea948c5cb4": "DigiNotar Extended Validation CA",
        "1e7d7a533d45304196400f71481f4504": "DigiNotar Public CA 2025",
        // DigiNotar: cross-signed by Entrust, CyberTrust and the Dutch state.
        "469c2cb0": "DigiNotar Services 1024 CA",
        "469c2caf": "DigiNotar Root CA",
        "469c3cc9": "DigiNotar Root CA",
        "0727100d": "DigiNotar Cyber CA",
        "07270ff9": "DigiNotar Cyber CA",
        "07271003": "DigiNotar Cyber CA",
        "013169b0": "DigiNotar PKIoverheid CA Overheid en Bedrijven",
        "013134bf": "DigiNotar PKIoverheid CA Organisatie - G2",
        // Digicert Sdn. Bhd.: cross-signed by CyberTrust and Entrust, with keys of 512 bits.
        "072714a9": "Digisign Server ID (Enrich)",
        "4c0e636a": "Digisign Server ID - (Enrich)",
        // The authority that was made by an MD5 collision.
        "41": "MD5 Collisions Inc. (http://www.phreedom.org/md5)",
        // TÜRKTRUST: two authorities issued in place of servers' certificates.
        "0827": "*.EGO.GOV.TR",
        "0864": "e-islem.kktcmerkezbankasi.org",
        // ANSSI: an authority that was used to look into a network's traffic.
        "031da7": "AC DG Trésor SSL",
        // NIC India: authorities that issued certificates for Google's names.
        "2783": "NIC Certifying Authority",
        "2792": "NIC CA 2011",
        "27b1": "NIC CA 2014",
    ]
}
